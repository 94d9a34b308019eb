using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Microsoft.Extensions.Time.Testing;
using static Archiver.Integration.Tests.Lifecycle.PolicyRuns;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>What bounds a purge and an expiry, as it bounds an archive run: pauses, time, pace, shards, and copies that exist.</summary>
public sealed class PurgeBoundsTests(TestServers servers)
{
    private const string Gone = "now() - interval '91 days'";

    private const string Commits =
        "SELECT string_agg(counts ->> 'sessions', ' ' ORDER BY id) FROM archiver.audit WHERE action IN ('purge', 'expire')";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(PolicyAction.Purge)]
    [InlineData(PolicyAction.Expire)]
    public async Task Stops_between_two_batches_when_somebody_pauses_it(PolicyAction action)
    {
        await using var archiver = await CreateAsync(action);
        var policy = Policy(action);

        var summary = await archiver.RunAsync(
            policy,
            Token,
            afterFirstBatch: $"INSERT INTO archiver.pauses (source, policy, paused_by) VALUES ('main', '{policy.Name}', 'test')"
        );

        Assert.Equal((RunOutcome.Done, 10L), (summary.Outcome, summary.Sessions));
        Assert.Equal(RunOutcome.Paused, (await archiver.RunAsync(policy, Token)).Outcome);
        await archiver.Database.ExecuteAsync("DELETE FROM archiver.pauses");
        Assert.Equal(14, (await archiver.RunAsync(policy, Token)).Sessions);
    }

    /// <summary>By whatever a start asks for: its own name, the source, everything, a name that no policy has any more.</summary>
    [Theory]
    [InlineData("main", "purge")]
    [InlineData("main", "")]
    [InlineData("", "")]
    [InlineData("main", "former")]
    public async Task What_keeps_a_run_from_starting_stops_it_between_two_batches(string source, string policy)
    {
        await using var archiver = await CreateAsync(PolicyAction.Purge);

        var summary = await archiver.RunAsync(
            Purge(),
            Token,
            afterFirstBatch: $"INSERT INTO archiver.pauses (source, policy, paused_by) VALUES ('{source}', '{policy}', 'test')"
        );
        var kept = await archiver.RunAsync(Purge(), Token);

        Assert.Equal((RunOutcome.Done, 10L, RunOutcome.Paused), (summary.Outcome, summary.Sessions, kept.Outcome));
        Assert.Equal(kept.Error, summary.CutShort);
    }

    [Theory]
    [InlineData(PolicyAction.Purge)]
    [InlineData(PolicyAction.Expire)]
    public async Task Stops_between_two_batches_when_its_time_is_up(PolicyAction action)
    {
        await using var archiver = await CreateAsync(action);
        var time = new FakeTimeProvider();
        InProcessFault.Once(FaultPoints.ChangeCounted, () =>
        {
            time.Advance(TimeSpan.FromHours(2));
            return Task.CompletedTask;
        });

        var summary = await archiver.RunAsync(Policy(action) with { MaxDuration = TimeSpan.FromHours(1) }, Token, time: time);

        Assert.Equal((RunOutcome.Done, 10L), (summary.Outcome, summary.Sessions));
    }

    [Fact]
    public async Task Takes_smaller_batches_after_a_slow_one_and_pauses_after_each()
    {
        var pause = TimeSpan.FromMilliseconds(200);
        await using var archiver = await Purgeable.SessionsAsync(servers, Gone, new() { Sessions = 4, Pause = new(pause) }, Token, idle: 4);
        await archiver.Database.ExecuteAsync(
            """
            CREATE SEQUENCE slow;
            CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF nextval('public.slow') = 1
              THEN PERFORM pg_sleep(1.1); END IF; RETURN NULL; END $$;
            CREATE TRIGGER linger BEFORE DELETE ON chat_sessions FOR EACH STATEMENT EXECUTE FUNCTION linger();
            """
        );

        var summary = await archiver.RunAsync(Purge(), Token);

        // Half of four, then one more each time as long as the server is quick.
        Assert.StartsWith("4 2 ", await archiver.Database.ScalarAsync<string>(Commits), StringComparison.Ordinal);
        Assert.Equal(8, summary.Sessions);
        Assert.True(summary.Elapsed > TimeSpan.FromSeconds(1.1) + (3 * pause), $"{summary.Elapsed}");
    }

    [Theory]
    [InlineData(PolicyAction.Purge)]
    [InlineData(PolicyAction.Expire)]
    public async Task Changes_each_session_once_with_shards(PolicyAction action)
    {
        await using var archiver = await CreateAsync(action, shards: 2);
        var oracle = await Oracle.AttachAsync(
            archiver.Database,
            archiver.Bucket,
            Token,
            action == PolicyAction.Purge ? ShadowTable.SoftDelete : ShadowTable.StatusExpiry
        );

        var summary = await archiver.RunAsync(Policy(action), Token);

        Assert.Equal((RunOutcome.Done, 24L), (summary.Outcome, summary.Sessions));
        Assert.Equal(
            "1 of 2, 2 of 2",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(shard || ' of ' || shards, ', ' "
                    + "ORDER BY shard) FROM archiver.runs WHERE state = 'done' AND sessions_done BETWEEN 1 AND 23"
            )
        );
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    [Fact]
    public async Task Purges_what_has_a_stored_copy_and_the_copy_stays_readable()
    {
        await using var archiver = await Purgeable.SessionsAsync(servers, "NULL", new() { Sessions = 10 }, Token);
        Assert.Equal(20, (await archiver.RunAsync(Archive() with { Delete = DeleteMode.Nothing }, Token)).Sessions);
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_sessions SET deleted_at = now() - interval '91 days' WHERE id::text IN (SELECT "
                + "session_id FROM archiver.archives ORDER BY id LIMIT 7)"
        );

        var summary = await archiver.RunAsync(Purge(), Token);

        Assert.Equal((RunOutcome.Done, 7L), (summary.Outcome, summary.Sessions));
        Assert.Equal(
            "13 stored, 7 superseded (purged)",
            await archiver.Database.ScalarAsync<string>(
                """
                SELECT string_agg(n || ' ' || state || coalesce(' (' || reason || ')', ''), ', ' ORDER BY state)
                FROM (SELECT state, reason, count(*) AS n FROM archiver.archives GROUP BY state, reason) AS s
                """
            )
        );
        Assert.Equal(20, (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count);
        // The copies left are still those of their sessions, and no purged one is stored again.
        var again = await archiver.RunAsync(Archive() with { Delete = DeleteMode.Nothing }, Token);
        Assert.Equal(
            (RunOutcome.Done, 0L, 13L),
            (
                again.Outcome,
                again.Sessions,
                await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'stored'")
            )
        );
    }

    private static Policy Policy(PolicyAction action) => action == PolicyAction.Purge ? Purge() : Expire();

    private Task<ArchiverFixture> CreateAsync(PolicyAction action, int shards = 1) =>
        action == PolicyAction.Purge
            ? Purgeable.SessionsAsync(servers, Gone, new() { Sessions = 10 }, Token, s =>
                s with
                {
                    Schedule = s.Schedule with { Shards = shards },
                }
            )
            : Purgeable.ExpiringAsync(servers, Gone, new() { Sessions = 10 }, Token, s =>
                s with
                {
                    Schedule = s.Schedule with { Shards = shards },
                }
            );
}
