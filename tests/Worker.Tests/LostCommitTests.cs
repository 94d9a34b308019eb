using System.Text.Json;
using Archiver.Core.Diagnostics;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Npgsql;

namespace Archiver.Worker.Tests;

/// <summary>A command whose commit happened says so, also when the server's answer to it was lost.</summary>
public sealed class LostCommitTests(TestServers servers)
{
    // With its end: "READ COMMITTED" is no commit.
    private const string Commit = "COMMIT\0";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(
        "hold add",
        "SELECT count(*) FROM archiver.holds WHERE removed_at IS NULL",
        2,
        "hold",
        "add",
        "--session",
        "ID",
        "--reason",
        "case"
    )]
    [InlineData("hold remove", "SELECT count(*) FROM archiver.holds WHERE removed_at IS NOT NULL", 1, "hold", "remove", "1")]
    [InlineData("pause", "SELECT count(*) FROM archiver.pauses WHERE policy = 'idle'", 1, "pause", "main/idle")]
    [InlineData("resume", "SELECT count(*) FROM (SELECT WHERE NOT EXISTS (SELECT FROM archiver.pauses)) AS n", 1, "resume", "main")]
    [InlineData("accept", "SELECT count(*) FROM archiver.acceptances", 1, "accept", "main/idle")]
    [InlineData(
        "quarantine retry",
        "SELECT count(*) FROM (SELECT WHERE NOT EXISTS (SELECT FROM archiver.quarantine)) AS n",
        1,
        "quarantine",
        "retry",
        "--all"
    )]
    public async Task A_change_of_the_ledger_whose_answer_was_lost_is_not_called_failed(
        string action,
        string done,
        long rows,
        params string[] arguments
    )
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        var session = (await archiver.Database.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions"))!;
        Assert.Equal(0, (await archiver.RunAsync("hold", "add", "--session", session, "--reason", "case")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("pause", "main")).ExitCode);
        await archiver.Database.ExecuteAsync(
            "INSERT INTO archiver.quarantine (source, session_id, reason, attempts, run_id) VALUES "
                + $"('main', '{session}', 'object differs', 1, gen_random_uuid())"
        );
        await using var relay = Between(archiver);
        relay.LoseAnswerTo(Commit);

        var result = await archiver.RunAsync([.. arguments.Select(a => a == "ID" ? session : a)]);

        Assert.Equal((1, 0, ""), (relay.Lost, result.ExitCode, result.Error));
        Assert.Equal(rows, await archiver.Database.ScalarAsync<long>(done));
        Assert.Equal(
            action == "pause" || action == "hold add" ? 2 : 1,
            await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM archiver.audit WHERE action = '{action}'")
        );
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
        await archiver.Database.ExecuteAsync(
            """
            UPDATE archiver.archives SET stored_at = now() - interval '400 days';
            UPDATE archiver.objects
              SET created_at = now() - interval '400 days', stored_at = now() - interval '400 days',
                discard_announced_at = now() - interval '31 days';
            """
        );
        await using var relay = Between(archiver.With("Discard:After", "365d"));
        LoseCommitAfter(relay, point);

        var result = await archiver.RunAsync([.. arguments.Select(a => a == "ID" ? session : a)]);

        Assert.True((relay.Lost, result.ExitCode) == (1, 0), result.Output + result.Error);
        Assert.Equal(
            arguments[0] == "erase" ? "erased" : "discarded",
            await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.archives")
        );
        Assert.Equal(
            "done",
            await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.runs ORDER BY started_at DESC LIMIT 1")
        );
        Assert.Empty(await archiver.Bucket.ListKeysAsync("chat_archives/2"));
    }

    // What the whole ledger depends on, each in one transaction.
    [Theory]
    [InlineData("SELECT count(*) FROM archiver.archives WHERE state = 'archived'", 2, "reconcile", "--fix", "--yes")]
    [InlineData("SELECT count(*) FROM archiver.archives WHERE state = 'archived'", 2, "ledger", "rebuild")]
    [InlineData("SELECT count(*) FROM archiver.objects WHERE location = 'PLACE'", 2, "ledger", "move", "--yes")]
    [InlineData("SELECT count(*) FROM archiver.archives WHERE source = 'chat'", 2, "source", "rename", "main", "chat")]
    [InlineData("SELECT count(*) FROM archiver.owners WHERE database = 'earlier'", 1, "ledger", "own", "--from", "1/earlier", "--yes")]
    [InlineData("SELECT count(*) FROM archiver.source_tables WHERE source = 'main'", 2, "source", "add", "main")]
    [InlineData("SELECT count(*) FROM archiver.migrations WHERE version = 11", 1, "migrate")]
    public async Task A_change_of_the_whole_ledger_whose_answer_was_lost_is_not_called_failed(
        string done,
        long rows,
        params string[] arguments
    )
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        await using var moved = await TestBucket.CreateAsync(servers, Token);
        switch (arguments[1..].FirstOrDefault())
        {
            case "--fix" or "rebuild":
                await archiver.Database.ExecuteAsync("DELETE FROM archiver.archives; DELETE FROM archiver.objects");
                break;
            case "move":
                await MovedBucketTests.CopyAsync(archiver.Bucket, moved);
                archiver.With("Storage:Bucket", moved.Name);
                break;
            case "rename":
                archiver.RenameSource("main", "chat");
                break;
            case "add":
                await archiver.Database.ExecuteAsync("DELETE FROM archiver.source_tables");
                break;
            case null:
                await archiver.Database.ExecuteAsync(
                    "DELETE FROM archiver.migrations WHERE version = 11; ALTER TABLE archiver.archives DROP COLUMN session_first_activity"
                );
                break;
        }
        await using var relay = Between(archiver);
        relay.LoseAnswerTo(Commit);

        var result = await archiver.RunAsync(arguments);

        Assert.Equal((1, 0, ""), (relay.Lost, result.ExitCode, result.Error));
        Assert.Equal(
            rows,
            await archiver.Database.ScalarAsync<long>(done.Replace("PLACE", $"s3://{moved.Name}", StringComparison.Ordinal))
        );
    }

    [Theory]
    [InlineData("purge", "SELECT 2 - count(*) FROM sessions")]
    [InlineData("expire", "SELECT count(*) FROM sessions WHERE status = 'expired'")]
    [InlineData("mark", "SELECT count(*) FROM sessions WHERE status = 'archived'")]
    [InlineData("delayed", "SELECT count(*) FROM archiver.archives WHERE state = 'archived'")]
    public async Task A_batch_whose_commit_was_not_answered_counts_once(string what, string done)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0, preset: "status-expiry");
        await archiver.Database.ExecuteAsync(
            "UPDATE sessions SET status = 'active', expires_at = now() - interval '1 day', updated_at = "
                + "now() - interval '100 days'; UPDATE messages SET created_at = now() - interval '100 days'"
        );
        archiver
            .With("Sources:main:Policies:gone:Action", "Purge")
            .With("Sources:main:Policies:gone:IdleFor", "90d")
            .With("Sources:main:Policies:over:Action", "Expire")
            .With("Sources:main:Policies:over:ExpiredFor", "0s");
        archiver.With(
            what == "delayed" ? "Sources:main:Policies:idle:DeleteAfter" : "Sources:main:Policies:idle:Delete",
            what == "delayed" ? "1h" : "Nothing"
        );
        if (what == "delayed")
        {
            Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
            await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET stored_at = now() - interval '2 hours'");
        }
        await using var relay = Between(archiver);
        LoseCommitAfter(relay, FaultPoints.DeleteReady);

        var result = await archiver.RunAsync(what is "purge" or "expire" ? what : "archive", "--json");

        Assert.True((relay.Lost, result.ExitCode) == (1, 0), result.Output + result.Error);
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>(done));
        Assert.Equal(2, JsonDocument.Parse(result.Output).RootElement[0].GetProperty("sessions").GetInt32());
        Assert.Equal(
            "done 2",
            await archiver.Database.ScalarAsync<string>(
                "SELECT state || ' ' || sessions_done FROM archiver.runs ORDER BY started_at DESC LIMIT 1"
            )
        );
    }

    private static TcpRelay Between(Installation archiver)
    {
        var server = new NpgsqlConnectionStringBuilder(archiver.Database.ConnectionString);
        var relay = new TcpRelay(server.Host!, server.Port);
        (server.Host, server.Port, server.SslMode) = ("127.0.0.1", relay.Port, SslMode.Disable);
        archiver.With(
            $"Sources:{(archiver.Value("Sources:main:Preset") is null ? "chat" : "main")}:ConnectionString",
            server.ConnectionString
        );
        return relay;
    }

    private static void LoseCommitAfter(TcpRelay relay, string point) => InProcessFault.Once(point, () =>
        {
            relay.LoseAnswerTo(Commit);
            return Task.CompletedTask;
        });
}
