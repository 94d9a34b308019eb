using Archiver.Core.Diagnostics;
using Archiver.Core.Holds;
using Archiver.Integration.Tests.Restore;
using Archiver.Integration.Tests.Roles;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>What a hold covers is not discarded, whenever the hold came.</summary>
public sealed class DiscardHoldTests(TestServers servers) : DiscardScenario(servers)
{
    private const string Ledger =
        "SELECT o.*, a.* FROM archiver.objects o JOIN archiver.archives a ON a.object_id = o.id WHERE {0} ORDER BY o.id, a.id";

    [Fact]
    public async Task Leaves_held_archives_untouched_in_ledger_and_bucket()
    {
        await using var archiver = await ArchivedAsync();
        await AgeAsync(archiver, 4);
        var session = await AnyAsync(archiver);
        await archiver.HoldAsync(new HoldRequest { Session = session, Reason = "case" }, Token);
        var held = await archiver.Database.CopyOutAsync(Condition($"a.session_id = '{session}'"));

        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);
        await archiver.HoldAsync(new HoldRequest { To = DateTimeOffset.MaxValue, Reason = "everything" }, Token);
        Assert.Equal(
            (0L, 0L, 4L),
            (
                (await archiver.DiscardAsync(Token)).Discarded.Objects,
                (await archiver.DiscardAsync(Token)).Announced.Objects,
                (await archiver.DiscardAsync(Token)).Held.Archives
            )
        );
        await LegalHolds.RemoveAsync(archiver.Connections, archiver.Source, 2, "test", Token);
        var report = await archiver.DiscardAsync(Token);

        Assert.Equal((3L, 1L), (report.Discarded.Archives, report.Held.Archives));
        Assert.Equal(held, await archiver.Database.CopyOutAsync(Condition($"a.session_id = '{session}'")));
        Assert.Contains(session, Assert.Single(await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_hold_after_an_interrupted_removal_finds_the_truth(bool removed)
    {
        await using var archiver = await ArchivedAsync();
        await AgeAsync(archiver, 4);
        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);
        // As a process leaves it that was killed over its removals; then everything is put on hold.
        await archiver.Database.ExecuteAsync("UPDATE archiver.objects SET removal_began_at = now()", Token);
        foreach (var key in removed ? await archiver.Bucket.ListKeysAsync("chat_archives/2", Token) : [])
            await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, key, Token);
        await archiver.HoldAsync(new HoldRequest { To = DateTimeOffset.MaxValue, Reason = "case" }, Token);

        await archiver.DiscardAsync(Token);

        Assert.Equal(removed ? 4 : 0, await CountAsync(archiver, "archives", "state = 'discarded'"));
        Assert.Equal(0, await CountAsync(archiver, "objects", "state = 'stored' AND removal_began_at IS NOT NULL"));
        Assert.Equal(removed ? 0 : 4, (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)).Count);
    }

    [Fact]
    public async Task A_hold_waits_for_the_removals_in_hand_and_saves_the_rest()
    {
        await using var archiver = await ArchivedAsync();
        await AgeAsync(archiver, 4);
        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);
        Task<IReadOnlyList<long>>? adding = null;
        archiver.Store = new HookedStore(archiver.Store)
        {
            BeforeDelete = async _ =>
            {
                adding ??= archiver.HoldAsync(new HoldRequest { To = DateTimeOffset.MaxValue, Reason = "case" }, Token);
                await LateHold.WaitedForAsync(archiver);
            },
        };

        Assert.Equal(4, (await archiver.DiscardAsync(Token)).Discarded.Archives);
        Assert.Single(await adding!);
    }

    [Fact]
    public async Task Holds_that_cannot_be_read_hold_everything()
    {
        await using var role = new TestRole(Servers);
        await using var archiver = await ArchiverFixture.CreateAsync(Servers, Token, idle: 4, young: 0, configure: s =>
            role.Use(Configure(s))
        );
        await role.GrantAsync(archiver.Database, Token);
        await archiver.RunAsync(Token);
        await AgeAsync(archiver, 4);
        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);
        await archiver.Database.ExecuteAsync($"REVOKE SELECT ON archiver.holds FROM {role.Name}", Token);

        var report = await archiver.DiscardAsync(Token);

        Assert.Equal((RunOutcome.Failed, 0L), (report.Outcome, report.Discarded.Objects));
        Assert.Equal(4, (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)).Count);
    }

    // The first generation ended before the held range, or has no user, or had another one then; the row or the next generation is held.
    [Theory]
    [InlineData("range", false)]
    [InlineData("range", true)]
    [InlineData("nobody", false)]
    [InlineData("somebody else", true)]
    public async Task A_session_is_held_whole_by_its_row_or_any_of_its_archives(string how, bool archivedAgain)
    {
        await using var archiver = await ArchivedAsync();
        await AgeAsync(archiver, 4);
        var session = await AnyAsync(archiver);
        Assert.Equal(1, (await archiver.RestoreAsync(RestoreFixture.Session(session), Token)).Restored);
        await archiver.ExecuteAsync(
            "UPDATE chat_sessions SET last_activity = now() - interval '91 days', user_id = 'held' WHERE session_id = $1",
            session
        );
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = restored_at - interval '1 year'", Token);
        Assert.Equal(archivedAgain ? 1 : 0, archivedAgain ? (await archiver.RunAsync(Token)).Sessions : 0);
        await archiver.Database.ExecuteAsync(
            $"""
            UPDATE archiver.archives
            SET user_id = {(how == "nobody" ? "NULL" : "'somebody else'")}, session_created_at = now() - interval '400 days',
              session_first_activity = now() - interval '400 days', session_last_activity = now() - interval '300 days'
            WHERE generation = 1
            """,
            Token
        );
        var hold = how == "range" ? new HoldRequest { From = TimeProvider.System.GetUtcNow().AddDays(-92), Reason = "case" } : null;
        await archiver.HoldAsync(hold ?? new HoldRequest { User = "held", Reason = "case" }, Token);

        Assert.Equal(3, (await archiver.DiscardAsync(Token)).Announced.Archives);
        await archiver.Database.ExecuteAsync("UPDATE archiver.objects SET discard_announced_at = now() - interval '31 days'", Token);
        Assert.Equal(1, (await archiver.PlanDiscardAsync(Token)).Held.Archives);
        var report = await archiver.DiscardAsync(Token);

        Assert.Equal((null, 3L, 1L), (report.Error, report.Discarded.Archives, report.Held.Archives));
        Assert.Equal(0, await CountAsync(archiver, "archives", $"session_id = '{session}' AND state = 'discarded'"));
        Assert.Contains(await archiver.Bucket.ListKeysAsync("chat_archives/2", Token), k =>
            k.EndsWith($"{session}.json.gz", StringComparison.Ordinal)
        );
        await LegalHolds.RemoveAsync(archiver.Connections, archiver.Source, 1, "test", Token);
        Assert.Equal(1, (await archiver.DiscardAsync(Token)).Discarded.Archives);
    }

    // No row of them can be looked for; a hold of somebody else keeps nothing of them.
    [Theory]
    [InlineData("UPDATE archiver.archives SET session_id = 'x' || id")]
    [InlineData("DROP TABLE chat_messages, chat_sessions CASCADE")]
    public async Task Archives_of_ids_of_another_type_and_of_tables_that_are_gone_end(string before)
    {
        await using var archiver = await ArchivedAsync();
        await AgeAsync(archiver, 4);
        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);
        await archiver.HoldAsync(new HoldRequest { User = "held", Reason = "case" }, Token);
        await archiver.Database.ExecuteAsync(before, Token);
        await archiver.Database.ExecuteAsync(
            "UPDATE archiver.objects AS o SET members = ARRAY[a.session_id] FROM archiver.archives AS a WHERE a.object_id = o.id",
            Token
        );

        var report = await archiver.DiscardAsync(Token);

        Assert.Equal((null, 4L), (report.Error, report.Discarded.Archives));
        Assert.Empty(await archiver.Bucket.ListKeysAsync("chat_archives/2", Token));
    }

    private static string Condition(string condition) => Ledger.Replace("{0}", condition, StringComparison.Ordinal);
}
