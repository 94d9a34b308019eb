using Archiver.Core.Diagnostics;
using Archiver.Core.Erasure;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>
/// What happens between two steps of an erasure: without the source's lock no object goes, and rows that come are not called erased.
/// </summary>
public sealed class EraseRaceTests(TestServers servers) : ErasureScenario(servers)
{
    private const string Late = "INSERT INTO chat_messages (session_id, role, content) VALUES ($1, 'user', 'late')";

    [Fact]
    public async Task Removes_no_object_when_its_lock_is_lost_while_it_asks_whose_they_are()
    {
        await using var archiver = await ArchivedAsync("session", null);
        var keys = await archiver.Bucket.ListKeysAsync("chat_archives/2", Token);
        var lost = new Lazy<Task>(() => archiver.EndProcessesAsync(EndedProcesses.OfLocks));
        // Before its first tombstone it asks for the bucket's owner as well; then the tombstones fail.
        var buried = InProcessFault.Once(FaultPoints.EraseTextErased, () => Task.CompletedTask);
        archiver.Store = new HookedStore(archiver.Store) { BeforeHead = _ => buried() ? lost.Value : Task.CompletedTask };

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.True(lost.IsValueCreated);
        Assert.Equal((RunOutcome.Failed, 1, 3L, 0L), (receipt.Outcome, receipt.ExitCode, receipt.Rows, receipt.Objects));
        Assert.Contains("lock", receipt.Error, StringComparison.Ordinal);
        Assert.Equal(keys, await archiver.Bucket.ListKeysAsync("chat_archives/2", Token));
        Assert.True((await archiver.EraseAsync(new() { User = User }, Token)).Complete);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Writes_and_removes_no_manifest_when_its_lock_is_lost_before(bool written)
    {
        await using var archiver = await ArchivedAsync("session", null);
        const string folder = "chat_archives/.archiver/manifests/";
        var manifest = Assert.Single(await archiver.Bucket.ListKeysAsync(folder, Token));
        var lost = new Lazy<Task>(() => archiver.EndProcessesAsync(EndedProcesses.OfLocks));
        var store = archiver.Store;
        if (written)
            InProcessFault.Once(FaultPoints.EraseManifestsWritten, () => lost.Value);
        else
            archiver.Store = new HookedStore(store) { BeforeOpen = key => key == manifest ? lost.Value : Task.CompletedTask };

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.True(lost.IsValueCreated);
        Assert.Equal((RunOutcome.Failed, 1, 0L), (receipt.Outcome, receipt.ExitCode, receipt.Manifests));
        Assert.Contains("lock", receipt.Error, StringComparison.Ordinal);
        var left = await archiver.Bucket.ListKeysAsync(folder, Token);
        Assert.Equal((true, written ? 2 : 1), (left.Contains(manifest), left.Count));
        archiver.Store = store;
        Assert.True((await archiver.EraseAsync(new() { User = User }, Token)).Complete);
        Assert.Single(await archiver.Bucket.ListKeysAsync(folder, Token));
    }

    [Fact]
    public async Task Removes_no_object_that_the_ledger_does_not_know_when_its_lock_is_lost_before()
    {
        await using var archiver = await ArchivedAsync("session", null);
        const string copy = "chat_archives/2020/01/copy.json.gz";
        await CopyAsync(archiver, await KeyOfUserAsync(archiver), copy);
        var reached = InProcessFault.Once(FaultPoints.EraseObjectsRecorded, () => archiver.EndProcessesAsync(EndedProcesses.OfLocks));

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.True(reached());
        Assert.Equal((RunOutcome.Failed, 1, 2L), (receipt.Outcome, receipt.ExitCode, receipt.Objects));
        Assert.Contains("lock", receipt.Error, StringComparison.Ordinal);
        Assert.Contains(copy, await archiver.Bucket.ListKeysAsync("chat_archives/2", Token));
    }

    // Without a foreign key the application can write to a session that is gone.
    [Fact]
    public async Task Rows_that_come_while_their_session_is_erased_are_erased_too()
    {
        await using var archiver = await ArchivedAsync("session", null);
        var session = await LiveWithoutForeignKeyAsync(archiver);
        var reached = InProcessFault.Once(FaultPoints.EraseRowsCommitted, () => archiver.ExecuteAsync(Late, session));

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.True(reached());
        Assert.Equal((null, 0, true, 4L), (receipt.Error, receipt.ExitCode, receipt.Complete, receipt.Rows));
        Assert.Equal(0, await MessagesAsync(archiver, session));
    }

    [Fact]
    public async Task Rows_that_come_again_and_again_are_named_and_the_erasure_is_not_complete()
    {
        await using var archiver = await ArchivedAsync("session", null);
        var session = await LiveWithoutForeignKeyAsync(archiver);
        InProcessFault.Always(FaultPoints.EraseRowsCommitted, () => archiver.ExecuteAsync(Late, session));

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.Equal((null, RunOutcome.Partial, 1, false), (receipt.Error, receipt.Outcome, receipt.ExitCode, receipt.Complete));
        var left = Assert.Single(receipt.Sessions, s => s.State != ErasedSession.Erased);
        Assert.Equal((session, ErasedSession.Remaining), (left.SessionId, left.State));
        Assert.Equal("its live rows: others came while they were erased", Assert.Single(left.Reasons));
        Assert.Equal(1, await MessagesAsync(archiver, session));
    }

    private static async Task<string> LiveWithoutForeignKeyAsync(ArchiverFixture archiver)
    {
        await archiver.Database.ExecuteAsync("ALTER TABLE chat_messages DROP CONSTRAINT chat_messages_session_id_fkey", Token);
        return (await archiver.Database.ScalarAsync<string>($"SELECT session_id::text FROM chat_sessions WHERE user_id = '{User}'"))!;
    }

    private static Task<long> MessagesAsync(ArchiverFixture archiver, string session) =>
        archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_messages WHERE session_id = '{session}'");
}
