using Archiver.Core.Diagnostics;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Npgsql;

namespace Archiver.Worker.Tests;

/// <summary>A command whose commit happened says so, also when the server's answer to it was lost.</summary>
public sealed class LostCommitTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("hold add", "SELECT count(*) FROM archiver.holds WHERE removed_at IS NULL", 2, "hold", "add", "--session", "ID", "--reason", "case")]
    [InlineData("hold remove", "SELECT count(*) FROM archiver.holds WHERE removed_at IS NOT NULL", 1, "hold", "remove", "1")]
    [InlineData("pause", "SELECT count(*) FROM archiver.pauses WHERE policy = 'idle'", 1, "pause", "main/idle")]
    [InlineData("resume", "SELECT count(*) FROM (SELECT WHERE NOT EXISTS (SELECT FROM archiver.pauses)) AS n", 1, "resume", "main")]
    [InlineData("accept", "SELECT count(*) FROM archiver.acceptances", 1, "accept", "main/idle")]
    [InlineData("quarantine retry", "SELECT count(*) FROM (SELECT WHERE NOT EXISTS (SELECT FROM archiver.quarantine)) AS n", 1, "quarantine", "retry", "--all")]
    public async Task A_change_of_the_ledger_whose_answer_was_lost_is_not_called_failed(string action, string done, long rows, params string[] arguments)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        var session = (await archiver.Database.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions"))!;
        Assert.Equal(0, (await archiver.RunAsync("hold", "add", "--session", session, "--reason", "case")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("pause", "main")).ExitCode);
        await archiver.Database.ExecuteAsync($"INSERT INTO archiver.quarantine (source, session_id, reason, attempts, run_id) VALUES ('main', '{session}', 'object differs', 1, gen_random_uuid())");
        var server = new NpgsqlConnectionStringBuilder(archiver.Database.ConnectionString);
        await using var relay = new TcpRelay(server.Host!, server.Port);
        (server.Host, server.Port, server.SslMode) = ("127.0.0.1", relay.Port, SslMode.Disable);
        archiver.With("Sources:main:ConnectionString", server.ConnectionString);
        // With its end: "READ COMMITTED" is no commit.
        relay.LoseAnswerTo("COMMIT\0");

        var result = await archiver.RunAsync([.. arguments.Select(a => a == "ID" ? session : a)]);

        Assert.Equal((1, 0, ""), (relay.Lost, result.ExitCode, result.Error));
        Assert.Equal(rows, await archiver.Database.ScalarAsync<long>(done));
        Assert.Equal(action == "pause" || action == "hold add" ? 2 : 1, await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM archiver.audit WHERE action = '{action}'"));
    }

    // Each has removed objects from the bucket by then, and the ledger must say so.
    [Theory]
    [InlineData(FaultPoints.EraseBuried, "erase", "ID", "--yes")]
    [InlineData(FaultPoints.EraseObjectsRemoved, "erase", "ID", "--yes")]
    [InlineData(FaultPoints.DiscardRemoved, "discard", "--yes")]
    public async Task A_step_in_the_bucket_whose_commit_was_not_answered_goes_on(string point, params string[] arguments)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        var session = (await archiver.Database.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions"))!;
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        await archiver.Database.ExecuteAsync("""
            UPDATE archiver.archives SET stored_at = now() - interval '400 days';
            UPDATE archiver.objects SET created_at = now() - interval '400 days', stored_at = now() - interval '400 days', discard_announced_at = now() - interval '31 days';
            """);
        var server = new NpgsqlConnectionStringBuilder(archiver.Database.ConnectionString);
        await using var relay = new TcpRelay(server.Host!, server.Port);
        (server.Host, server.Port, server.SslMode) = ("127.0.0.1", relay.Port, SslMode.Disable);
        archiver.With("Sources:main:ConnectionString", server.ConnectionString).With("Discard:After", "365d");
        InProcessFault.Once(point, () =>
        {
            relay.LoseAnswerTo("COMMIT\0");
            return Task.CompletedTask;
        });

        var result = await archiver.RunAsync([.. arguments.Select(a => a == "ID" ? session : a)]);

        Assert.True((relay.Lost, result.ExitCode) == (1, 0), result.Output + result.Error);
        Assert.Equal(arguments[0] == "erase" ? "erased" : "discarded", await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.archives"));
        Assert.Equal("done", await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.runs ORDER BY started_at DESC LIMIT 1"));
        Assert.Empty(await archiver.Bucket.ListKeysAsync("chat_archives/2"));
    }
}
