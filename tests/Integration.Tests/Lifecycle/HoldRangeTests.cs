using Archiver.Core.Diagnostics;
using Archiver.Core.Erasure;
using Archiver.Core.Holds;
using Archiver.Core.Reconciliation;
using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>A hold by a range of time covers what was in use then, by its messages too.</summary>
public sealed class HoldRangeTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // Its row says that it ended long before, and nobody knows of the messages but they themselves.
    [Theory]
    [InlineData("now() - interval '250 days'")]
    [InlineData("now() - interval '500 days'")]
    public async Task A_hold_by_range_covers_a_session_whose_messages_touch_it(string time)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 4, young: 0);
        var session = await WithMessageAsync(archiver, time);
        await HoldRangesAsync(archiver);

        var summary = await archiver.RunAsync(Token);
        var purge = await archiver.RunAsync(PolicyRuns.Archive() with { Name = "purge", Action = PolicyAction.Purge }, Token);
        var erased = await archiver.EraseAsync(new() { Ids = [session] }, Token);

        Assert.Equal((RunOutcome.Done, 3L), (summary.Outcome, summary.Sessions));
        Assert.Equal((RunOutcome.Done, 0L), (purge.Outcome, purge.Sessions));
        Assert.Equal((RunOutcome.Partial, ErasedSession.Held), (erased.Outcome, Assert.Single(erased.Sessions).State));
        Assert.Equal(session, await archiver.Database.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions"));
    }

    // One message is all of the session that a held range touches: one after its last activity, or one from before its row.
    [Theory]
    [InlineData("250 days", false)]
    [InlineData("500 days", false)]
    [InlineData("250 days", true)]
    [InlineData("500 days", true)]
    public async Task A_hold_by_range_covers_an_archive_whose_messages_touch_it(string age, bool rebuilt)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 2, young: 0, configure: s => s with { Discard =
                    new() { After = TimeSpan.FromDays(365), Notice = TimeSpan.FromDays(30) } });
        var session = await WithMessageAsync(archiver, $"now() - interval '{age}'");
        Assert.Equal(2, (await archiver.RunAsync(Token)).Sessions);
        if (rebuilt)
        {
            await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");
            await new LedgerRebuilder(archiver.Settings, archiver.Catalog, archiver.Store, TimeProvider.System).RebuildAsync(
                "main",
                otherSystems: false,
                "test",
                null,
                Token
            );
        }
        await HoldRangesAsync(archiver);
        await archiver.Database.ExecuteAsync(
            """
            UPDATE archiver.archives SET stored_at = now() - interval '400 days';
            UPDATE archiver.objects
              SET created_at = now() - interval '400 days', stored_at = now() - interval '400 days',
                discard_announced_at = now() - interval '31 days';
            """
        );

        Assert.Equal(new HoldCoverage(0, 1), await archiver.CountHeldAsync(Token));
        var discarded = await archiver.DiscardAsync(Token);
        var erased = await archiver.EraseAsync(new() { Ids = [session] }, Token);

        Assert.Equal((1L, 1L), (discarded.Discarded.Archives, discarded.Held.Archives));
        Assert.Equal((session, ErasedSession.Held, false), (erased.Sessions[0].SessionId, erased.Sessions[0].State, erased.Complete));
        Assert.Equal(
            session,
            await archiver.Database.ScalarAsync<string>("SELECT session_id FROM archiver.archives WHERE state = 'archived'")
        );
        Assert.Single(await archiver.Bucket.ListKeysAsync("chat_archives/2", Token));
    }

    // A hold is on what was active at or after its first moment and began before its last one: of a row and of an archive.
    [Theory]
    [InlineData("from", 0, 1)]
    [InlineData("from", 1, 0)]
    [InlineData("to", 0, 0)]
    [InlineData("to", 1, 1)]
    public async Task A_hold_by_range_covers_its_first_moment_and_not_its_last(string end, int microseconds, int held)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_sessions SET created_at = '2020-01-01 12:00+00', last_activity = '2020-02-01 12:00+00'; "
                + "UPDATE chat_messages SET timestamp = '2020-01-15'"
        );
        var at = new DateTimeOffset(2020, end == "from" ? 2 : 1, 1, 12, 0, 0, TimeSpan.Zero).AddMicroseconds(microseconds);
        var hold = new HoldRequest { Reason = "case" };
        hold = end == "from" ? hold with { From = at } : hold with { To = at };

        var id = Assert.Single(await archiver.HoldAsync(hold, Token));
        Assert.Equal(new HoldCoverage(held, 0), await archiver.CountHeldAsync(Token));
        Assert.Equal(1 - held, (await archiver.RunAsync(Token)).Sessions);
        Assert.True(await LegalHolds.RemoveAsync(archiver.Connections, archiver.Source, id, "test", Token));
        Assert.Equal(held, (await archiver.RunAsync(Token)).Sessions);
        await archiver.HoldAsync(hold, Token);
        Assert.Equal(new HoldCoverage(0, held), await archiver.CountHeldAsync(Token));
    }

    /// <summary>All sessions lived from 400 to 390 days ago, and the messages of one were written at another time.</summary>
    private static async Task<string> WithMessageAsync(ArchiverFixture archiver, string time)
    {
        var session = await archiver.AnyIdleAsync(Token);
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_sessions SET created_at = now() - interval '400 days', last_activity = now() - "
                + "interval '390 days'; UPDATE chat_messages SET timestamp = now() - interval '395 days'"
        );
        await archiver.ExecuteAsync($"UPDATE chat_messages SET timestamp = {time} WHERE session_id = $1", session);
        return session;
    }

    /// <summary>Holds from 300 to 200 and from 600 to 450 days ago.</summary>
    private static async Task HoldRangesAsync(ArchiverFixture archiver)
    {
        var now = TimeProvider.System.GetUtcNow();
        foreach (var (from, to) in new[] { (300, 200), (600, 450) })
            await archiver.HoldAsync(
                new HoldRequest
                {
                    From = now.AddDays(-from),
                    To = now.AddDays(-to),
                    Reason = "case",
                },
                Token
            );
    }
}
