using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Testing;
using static Archiver.Integration.Tests.Lifecycle.PlannedKeys;
using static Archiver.Integration.Tests.Lifecycle.PolicyRuns;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>A plan says what a run does, and changes nothing.</summary>
public sealed class PlanTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<PolicyAction, string> Actions =>
        new()
        {
            { PolicyAction.Archive, "ended-at" },
            { PolicyAction.Purge, "soft-delete" },
            { PolicyAction.Expire, "status-expiry" },
        };

    [Theory]
    [MemberData(nameof(Actions))]
    public async Task Plan_and_run_name_the_same_sessions_and_the_same_numbers(PolicyAction action, string preset)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(
            servers,
            Token,
            idle: 30,
            young: 10,
            messages: 3,
            preset: preset,
            configure: s => s with { Batch = s.Batch with { Sessions = 7 } }
        );
        var (policy, table, key) = action switch
        {
            PolicyAction.Archive => (Archive(), "chat_sessions", "session_id"),
            PolicyAction.Purge => (Purge(), "chat_sessions", "id"),
            _ => (Expire(), "sessions", "id"),
        };
        if (action == PolicyAction.Purge)
            await archiver.Database.ExecuteAsync("UPDATE chat_sessions SET deleted_at = last_activity WHERE left(id::text, 1) < 'c'");
        await archiver.MigrateAsync(Token);
        await archiver.HoldAsync((await archiver.Database.ScalarAsync<string>($"SELECT {key}::text FROM {table} ORDER BY 1 LIMIT 1"))!);
        var before = await WholeAsync(archiver);

        var plan = await archiver.PlanAsync(policy, Token);
        var dry = await archiver.RunAsync(policy with { DryRun = true }, Token);

        Assert.Equal(before, await WholeAsync(archiver));
        Assert.Empty(await archiver.Bucket.ListKeysAsync());
        Assert.Equal((RunOutcome.Done, true, plan.Plan.Eligible), (dry.Outcome, dry.DryRun, dry.Selected));
        Assert.Equal(plan.Plan.Excluded, dry.Excluded);
        Assert.Equal(plan.Plan.Total, plan.Plan.Eligible + plan.Plan.Excluded.Values.Sum());

        var live = await KeysAsync(
            archiver,
            $"SELECT {key}::text FROM {table} {(action == PolicyAction.Expire ? "WHERE status <> 'expired'" : "")}"
        );
        var run = await archiver.RunAsync(policy, Token);
        var changed = live.Except(
            await KeysAsync(
                archiver,
                $"SELECT {key}::text FROM {table} {(action == PolicyAction.Expire ? "WHERE status <> 'expired'" : "")}"
            )
        );

        Assert.NotEmpty(plan.Sessions);
        Assert.Equal(plan.Sessions.Select(s => s.Key).Order(), changed.Order());
        Assert.Equal((plan.Plan.Eligible, action == PolicyAction.Expire ? run.Sessions : run.Rows), (run.Sessions, plan.Size.Rows));
    }

    /// <summary>
    /// A trial of a hundred sessions out of millions must not begin with counting millions. Of shards each takes its share of the bound,
    /// wherever its sessions are.
    /// </summary>
    [Fact]
    public async Task Counts_no_further_than_a_run_without_shards_takes()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 30, young: 10, messages: 1);
        await using var scope = await archiver.BeginAsync(new(archiver.Source, archiver.Policy), Token);
        var half = scope.Context with { Shard = new Shard(1, 2) };

        var (ofHalf, _) = await PolicyPlan.CountEligibleAsync(half, long.MaxValue, Token);

        Assert.Equal((30, 30), await PolicyPlan.CountEligibleAsync(scope.Context, long.MaxValue, Token));
        Assert.Equal((7, 7), await PolicyPlan.CountEligibleAsync(scope.Context, 7, Token));
        Assert.InRange(ofHalf, 1, 29);
        Assert.Equal((ofHalf, 30), await PolicyPlan.CountEligibleAsync(half, 7, Token));
    }

    private static async Task<string> WholeAsync(ArchiverFixture archiver)
    {
        var tables = await KeysAsync(
            archiver,
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'archiver') ORDER BY 1"
        );
        Assert.True(tables.Count > 8);
        var rows = await Task.WhenAll(
            tables.Select(async t =>
                $"{t}\n{await archiver.Database.CopyOutAsync($"SELECT t.*, t.xmin, t.ctid FROM {t} AS t ORDER BY t.ctid")}"
            )
        );
        return string.Concat(rows);
    }
}
