using System.Text.Json;
using Archiver.Core.Diagnostics;
using Archiver.Testing;
using Archiver.Testing.Proof;
using static Archiver.Worker.Tests.LostAnswers;

namespace Archiver.Worker.Tests;

/// <summary>A step whose commit happened and was not answered goes on, and counts once.</summary>
public sealed class LostCommitStepTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

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

    private static void LoseCommitAfter(TcpRelay relay, string point) => InProcessFault.Once(point, () =>
        {
            relay.LoseAnswerTo(Commit);
            return Task.CompletedTask;
        });
}
