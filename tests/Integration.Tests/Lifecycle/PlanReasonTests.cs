using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Testing;
using static Archiver.Integration.Tests.Lifecycle.PlannedKeys;
using static Archiver.Integration.Tests.Lifecycle.PolicyRuns;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>A plan says what keeps sessions out, who else takes them, and whether a run would stop.</summary>
public sealed class PlanReasonTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Counts_every_reason_that_keeps_a_session_out()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(
            servers,
            Token,
            idle: 8,
            young: 0,
            messages: 1,
            preset: "status-expiry"
        );
        await archiver.MigrateAsync(Token);
        var ids = await KeysAsync(archiver, "SELECT id::text FROM sessions ORDER BY id");
        await archiver.Database.ExecuteAsync(
            $"""
            UPDATE sessions SET status = 'active', expires_at = now() - interval '9 days', title = 'x',
              updated_at = now() - interval '100 days';
            ALTER TABLE sessions ALTER COLUMN updated_at DROP NOT NULL, DISABLE TRIGGER USER;
            UPDATE sessions SET updated_at = NULL WHERE id = '{ids[0]}';
            UPDATE messages SET created_at = now() WHERE session_id = '{ids[1]}';
            UPDATE sessions SET expires_at = '-infinity' WHERE id = '{ids[2]}';
            UPDATE sessions SET status = 'archived' WHERE id = '{ids[3]}';
            UPDATE sessions SET title = 'keep' WHERE id = '{ids[4]}';
            ALTER TABLE sessions ENABLE TRIGGER USER;
            INSERT INTO archiver.runs (id, source, policy, action, state, worker)
              VALUES ('019a0000-0000-7000-8000-000000000000', 'main', 'x', 'restore', 'done', 'x');
            INSERT INTO archiver.objects (location, key, attempt, source, run_id, layout, members, length, sha256)
              VALUES ('s3://x', 'k', 'a', 'main', '019a0000-0000-7000-8000-000000000000', 'session', '{"{}"}', 1, '');
            INSERT INTO archiver.archives (source, session_id, generation, state, message_count, row_count, object_id, byte_offset,
              byte_length, json_length, json_sha256, fingerprints, run_id, policy, exported_at, restored_at)
            SELECT 'main', '{ids[5]}', 1, 'restored', 1, 2, id, 0, 1, 1, '', '{"{}"}', run_id, 'x', now(), now() - interval '29 days'
              FROM archiver.objects;
            INSERT INTO archiver.quarantine (source, session_id, reason, attempts, run_id, quarantined_at)
              VALUES ('main', '{ids[6]}', 'x', 5, gen_random_uuid(), now());
            """
        );
        await archiver.HoldAsync(ids[7]);

        var plan = await archiver.PlanAsync(
            Archive() with
            {
                ExpiredFor = TimeSpan.FromDays(7),
                Status = ["active"],
                Where = "s.title <> 'keep'",
            },
            Token
        );

        Assert.Equal(
            "Where 1, held 1, not expired long enough 1, quarantined 1, restored lately 1, status 1, too young 1, unknown activity 1",
            string.Join(", ", plan.Plan.Excluded.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => $"{e.Key} {e.Value}"))
        );
        Assert.Equal((8L, 0L), (plan.Plan.Total, plan.Plan.Eligible));
    }

    [Fact]
    public async Task Names_policies_that_take_the_same_sessions_and_no_others()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(
            servers,
            Token,
            idle: 10,
            young: 5,
            messages: 1,
            preset: "soft-delete"
        );
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_sessions SET deleted_at = CASE WHEN id IN (SELECT id FROM chat_sessions ORDER BY "
                + "last_activity LIMIT 4) THEN now() - interval '91 days' END"
        );
        await archiver.MigrateAsync(Token);

        var clash = await archiver.PlanAsync(Archive(), Token, Purge(), Purge(PurgeScope.Messages) with { Name = "rows" });
        var apart = await archiver.PlanAsync(Archive() with { Where = "s.deleted_at IS NULL" }, Token, Purge());

        Assert.Equal(4, Assert.Single(clash.Overlaps, o => o.Key == "main/purge").Value);
        Assert.Empty(apart.Overlaps);
    }

    [Fact]
    public async Task Says_that_a_run_would_stop_at_the_trip_wire()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(
            servers,
            Token,
            idle: 400,
            young: 800,
            messages: 0,
            preset: "soft-delete",
            configure: s => s with { Safety = new SafetySettings { MaxShare = 0.25 } }
        );
        await archiver.MigrateAsync(Token);

        Assert.True((await archiver.PlanAsync(Archive(), Token)).NeedsAcceptance);
        Assert.Equal(
            (RunOutcome.Refused, 3),
            ((await archiver.RunAsync(Archive() with { DryRun = true }, Token)) is var dry ? (dry.Outcome, dry.ExitCode) : default)
        );
        Assert.False((await archiver.PlanAsync(Archive() with { MaxSessions = 300 }, Token)).NeedsAcceptance);
    }
}
