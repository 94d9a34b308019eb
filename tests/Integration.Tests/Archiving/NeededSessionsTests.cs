using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Integration.Tests.Lifecycle;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>A person learns which rows keep a session that others point to.</summary>
public sealed class NeededSessionsTests(TestServers servers) : PointingTables(servers)
{
    [Fact]
    public async Task Plan_says_what_keeps_a_session_that_another_one_needs()
    {
        await using var archiver = await CreateAsync("", "a_files");
        await archiver.ExecuteAsync("UPDATE chats SET parent = 1 WHERE id = 5; UPDATE chats SET parent = 2 WHERE id = 3", null);
        await archiver.MigrateAsync(Token);

        var plan = await archiver.PlanAsync(PolicyRuns.Archive(), Token);

        Assert.Equal((3L, 1L), (plan.Plan.Eligible, plan.Plan.Excluded[DropReason.Referenced]));
    }

    [Fact]
    public async Task Explain_says_that_rows_elsewhere_point_to_a_session_although_no_index_finds_them()
    {
        await using var archiver = await CreateAsync("", "a_files");
        await archiver.ExecuteAsync("CREATE TABLE pins (msg int REFERENCES msgs); INSERT INTO pins VALUES (11)", null);
        await archiver.MigrateAsync(Token);
        var explainer = new Core.Selection.SessionExplainer(archiver.Settings, archiver.Catalog);

        var kept = await explainer.ExplainAsync(archiver.SourceWith([PolicyRuns.Archive()]), PolicyRuns.Archive(), "1", Token);
        var free = await explainer.ExplainAsync(archiver.SourceWith([PolicyRuns.Archive()]), PolicyRuns.Archive(), "2", Token);

        Assert.Equal([DropReason.Referenced], kept.Conditions.Where(c => !c.Met).Select(c => c.Condition.Reason));
        Assert.True(free.Eligible);
    }
}
