using Archiver.Core.Diagnostics;
using Archiver.Integration.Tests.Lifecycle;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Restore;

public sealed class RoundTripTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ended-at")]
    [InlineData("last-accessed")]
    [InlineData("status-expiry")]
    [InlineData("soft-delete")]
    public async Task Archived_sessions_come_back_equal_to_the_byte(string preset)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 2500, young: 100, messages: 4, preset: preset);
        var before = await archiver.Database.CopyTablesAsync(archiver);
        Assert.Equal(2500, (await archiver.RunAsync(Token)).Sessions);
        Assert.NotEqual(before, await archiver.Database.CopyTablesAsync(archiver));

        var report = await archiver.RestoreAsync(RestoreFixture.Everything, Token);

        Assert.Equal((RunOutcome.Done, null, 2500L, 2500L), (report.Outcome, report.Error, report.Selected, report.Restored));
        Assert.Equal(2500 * 5, report.Rows);
        Assert.Empty(report.Refused);
        Assert.Equal(before, await archiver.Database.CopyTablesAsync(archiver));
        Assert.Equal(
            2500,
            await archiver.Database.ScalarAsync<long>(
                "SELECT count(*) FROM archiver.archives WHERE state = 'restored' AND restored_at IS NOT NULL"
            )
        );
        Assert.Equal(
            "done/2500",
            await archiver.Database.ScalarAsync<string>("SELECT state || '/' || sessions_done FROM archiver.runs WHERE action = 'restore'")
        );
        TestContext.Current.TestOutputHelper?.WriteLine($"restored {report.Restored} sessions in {report.Elapsed.TotalSeconds:0.00} s");
    }

    [Fact]
    public async Task Restoring_twice_changes_nothing_and_says_so()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token);
        var id = await archiver.Database.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions ORDER BY last_activity LIMIT 1");
        await archiver.RunAsync(Token);
        await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        const string ledger = "SELECT id, state, restored_at FROM archiver.archives ORDER BY id";
        var (rows, records) = (await archiver.Database.CopyTablesAsync(archiver), await archiver.Database.CopyOutAsync(ledger));

        var all = await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        var skipped = await archiver.RestoreAsync(RestoreFixture.Session(id!) with { OnConflict = Core.Reading.ConflictMode.Skip }, Token);
        var refused = await archiver.RestoreAsync(RestoreFixture.Session(id!), Token);

        Assert.Equal((RunOutcome.Done, 0L, 20L), (all.Outcome, all.Restored, all.AlreadyThere));
        Assert.Equal((RunOutcome.Done, 0L, 1L), (skipped.Outcome, skipped.Restored, skipped.AlreadyThere));
        Assert.Equal("it is in the database already, with the same rows; nothing was changed", Assert.Single(refused.Refused).Reason);
        Assert.Equal(1, refused.ExitCode);
        Assert.Equal(rows, await archiver.Database.CopyTablesAsync(archiver));
        Assert.Equal(records, await archiver.Database.CopyOutAsync(ledger));
    }

    // Of all that the server takes for a time .NET knows the years 1 to 9999.
    [Theory]
    [InlineData("0044-03-15 12:00:00+00 BC")]
    [InlineData("20000-01-01 00:00:00+00")]
    [InlineData("-infinity")]
    [InlineData("infinity")]
    public async Task A_session_is_found_restored_and_erased_whenever_it_says_that_it_began(string created)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.Database.ExecuteAsync($"UPDATE chat_sessions SET created_at = '{created}'", Token);
        var id = await archiver.Database.ScalarAsync<string>("SELECT min(session_id::text) FROM chat_sessions");
        var before = await archiver.Database.CopyTablesAsync(archiver);
        Assert.Equal(2, (await archiver.RunAsync(Token)).Sessions);

        Assert.NotNull(await new Core.Reading.ArchiveLocator(archiver.Catalog).FindAsync("main", id!, null, Token));
        var one = await archiver.RestoreAsync(RestoreFixture.Session(id!), Token);
        var rest = await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        Assert.Equal((null, 1L, null, 1L), (one.Error, one.Restored, rest.Error, rest.Restored));
        Assert.Equal(before, await archiver.Database.CopyTablesAsync(archiver));

        var receipt = await archiver.EraseAsync(new() { Ids = [id!] }, Token);
        Assert.Equal((null, true), (receipt.Error, receipt.Complete));
        var again = await archiver.EraseAsync(new() { Reapply = true }, Token);
        Assert.Equal((null, true, 0), (again.Error, again.Complete, again.Sessions.Count));
    }
}
