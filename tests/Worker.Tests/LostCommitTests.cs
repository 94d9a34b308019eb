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
}
