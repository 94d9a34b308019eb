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
        command.CommandText = "SET LOCAL application_name = 'a migration'; LOCK TABLE chat_messages, chat_sessions IN ACCESS EXCLUSIVE MODE; SELECT pg_backend_pid()";
        var process = (int)(await command.ExecuteScalarAsync(Token))!;

        var result = await archiver.RunAsync(verb.Split(' '));

        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"Table public.chat_messages is locked by process {process} (application 'a migration', user 'postgres', for ", result.Error, StringComparison.Ordinal);
        Assert.Contains($"SELECT pg_terminate_backend({process})", result.Error, StringComparison.Ordinal);
    }
}
