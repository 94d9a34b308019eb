using Archiver.Core.Diagnostics;
using Archiver.Core.Holds;
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
                await Eventually.TrueAsync(
                    async () =>
                        await archiver.Database.ScalarAsync<bool>(
                            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
                        ),
                    Token
                );
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

    private static string Condition(string condition) => Ledger.Replace("{0}", condition, StringComparison.Ordinal);
}
