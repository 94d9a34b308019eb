using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>A table that somebody has locked holds no command for ever, and a person is told who has it.</summary>
public sealed class LockedTableTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("plan")]
    [InlineData("status")]
    [InlineData("archive")]
    [InlineData("hold add --from 2020-01-01 --reason case")]
    public async Task Says_who_has_locked_a_table_and_how_to_end_it(string verb)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 1);
        Assert.Equal(0, (await archiver.RunAsync("migrate")).ExitCode);
        await using var connection = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await using var command = connection.CreateCommand();
        command.CommandText =
            "SET LOCAL application_name = 'a migration'; LOCK TABLE chat_messages, chat_sessions IN ACCESS EXCLUSIVE "
            + "MODE; SELECT pg_backend_pid()";
        var process = (int)(await command.ExecuteScalarAsync(Token))!;

        var result = await archiver.RunAsync(verb.Split(' '));

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(
            $"Table public.chat_messages is locked by process {process} (application 'a migration', user 'postgres', for ",
            result.Error,
            StringComparison.Ordinal
        );
        Assert.Contains($"SELECT pg_terminate_backend({process})", result.Error, StringComparison.Ordinal);
    }

    // As another tool's ALTER TABLE takes it, or a backup that locks what it copies. All at the same time: each waits its half minute.
    [Fact]
    public async Task Nothing_that_writes_the_ledger_waits_for_ever_and_a_person_is_told_who_has_locked_it()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 1);
        Assert.Equal(0, (await archiver.RunAsync("migrate")).ExitCode);
        await using var connection = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await using var command = connection.CreateCommand();
        command.CommandText =
            "SET LOCAL application_name = 'a backup'; LOCK TABLE archiver.runs, archiver.audit IN SHARE MODE; SELECT pg_backend_pid()";
        var process = (int)(await command.ExecuteScalarAsync(Token))!;

        string[] verbs = ["archive", "pause main", "accept main/idle", "hold add --from 2020-01-01 --reason case"];
        var results = await Task.WhenAll(verbs.Select(async v => (Verb: v, Result: await archiver.RunAsync(v.Split(' ')))));

        foreach (var (verb, result) in results)
        {
            Assert.True(result.ExitCode == 1, $"{verb}: {result.ExitCode} {result.Error}");
            Assert.Contains(
                $"Table archiver.audit is locked by process {process} (application 'a backup', user 'postgres', for ",
                result.Error,
                StringComparison.Ordinal
            );
        }
        Assert.Equal(3, await archiver.LiveSessionsAsync());
    }

    /// <summary>A script changes tables, so it waits for whoever reads them, such as a backup.</summary>
    [Fact]
    public async Task An_upgrade_that_a_reader_of_the_ledger_holds_up_names_the_table_and_the_process()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.Database.ExecuteAsync(
            "DELETE FROM archiver.migrations WHERE version = 16; ALTER TABLE archiver.source_tables DROP COLUMN key_type",
            Token
        );
        await using var connection = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await using var command = connection.CreateCommand();
        command.CommandText =
            "SET LOCAL application_name = 'pg_dump'; LOCK TABLE archiver.source_tables, archiver.runs IN ACCESS SHARE MODE; "
            + "SELECT pg_backend_pid()";
        var process = (int)(await command.ExecuteScalarAsync(Token))!;

        var result = await archiver.RunAsync("migrate");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(
            $"Tables archiver.runs, archiver.source_tables are locked by process {process} (application 'pg_dump', user 'postgres', for ",
            result.Error,
            StringComparison.Ordinal
        );
    }
}
