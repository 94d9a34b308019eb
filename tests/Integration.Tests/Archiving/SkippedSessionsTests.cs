using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Integration.Tests.Lifecycle;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>Sessions that stay in every run are ahead of all others: they take nothing of what <c>MaxSessions</c> allows.</summary>
public sealed class SkippedSessionsTests(TestServers servers) : PointingTables(servers)
{
    // No index finds it for the selection: the export, or the delete, does.
    private const string PinTheOldest = "CREATE TABLE pins (chat int REFERENCES chats); INSERT INTO pins VALUES (1), (2)";

    [Theory]
    [InlineData(PolicyAction.Archive)]
    [InlineData(PolicyAction.Purge)]
    public async Task Sessions_that_stay_for_a_key_without_an_index_do_not_use_up_MaxSessions(PolicyAction action)
    {
        await using var archiver = await CreateAsync("", "a_files");
        await archiver.ExecuteAsync(PinTheOldest, null);

        var summary = await archiver.RunAsync(PolicyRuns.Archive() with { Action = action, MaxSessions = 2 }, Token);

        Assert.Equal((null, 2L, 2L, 0L), (summary.Error, summary.Sessions, summary.Skipped, summary.Failed));
        Assert.Equal(2, summary.Reasons[DropReason.Referenced]);
        Assert.Equal("1,2,5,6", await ChatsAsync(archiver));
    }

    [Fact]
    public async Task Stored_sessions_that_stay_for_a_key_without_an_index_do_not_use_up_MaxSessions()
    {
        await using var archiver = await CreateAsync("", "a_files");
        var delayed = PolicyRuns.Archive() with { DeleteAfter = TimeSpan.FromDays(7) };
        Assert.Equal(4, (await archiver.RunAsync(delayed, Token)).Sessions);
        await archiver.ExecuteAsync($"{PinTheOldest}; UPDATE archiver.archives SET stored_at = now() - interval '8 days'", null);

        var summary = await archiver.RunAsync(delayed with { MaxSessions = 2 }, Token);

        Assert.Equal((null, 2L, 2L, 0L), (summary.Error, summary.Delayed, summary.Skipped, summary.Failed));
        Assert.Equal("1,2,5,6", await ChatsAsync(archiver));
    }

    // What goes back is of those that stay only.
    [Fact]
    public async Task A_run_takes_no_more_than_MaxSessions_beside_those_that_stay()
    {
        await using var archiver = await CreateAsync("", "a_files");
        await archiver.ExecuteAsync(PinTheOldest, null);

        var summary = await archiver.RunAsync(PolicyRuns.Archive() with { MaxSessions = 1 }, Token);

        Assert.Equal((1L, 2L), (summary.Sessions, summary.Skipped));
        Assert.Equal("1,2,4,5,6", await ChatsAsync(archiver));
    }

    private static Task<string?> ChatsAsync(ArchiverFixture archiver) =>
        archiver.Database.ScalarAsync<string?>("SELECT string_agg(id::text, ',' ORDER BY id) FROM chats", Token);
}
