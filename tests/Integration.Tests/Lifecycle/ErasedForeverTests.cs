using Archiver.Core.Diagnostics;
using Archiver.Core.Reconciliation;
using Archiver.Integration.Tests.Restore;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>What was erased does not come back with a ledger of an earlier time, or of none.</summary>
public sealed class ErasedForeverTests(TestServers servers) : ErasureScenario(servers)
{
    [Fact]
    public async Task After_a_restore_of_the_database_to_an_earlier_time_nothing_comes_back()
    {
        await using var archiver = await ArchivedAsync("session", null);
        var forgotten = await SessionsOfUserAsync(archiver);
        var archived = (
            await archiver.Database.ScalarAsync<string>($"SELECT min(session_id) FROM archiver.archives WHERE user_id = '{User}'")
        )!;
        var key = (
            await archiver.Database.ScalarAsync<string>(
                $"SELECT o.key FROM archiver.objects o JOIN archiver.archives a ON a.object_id = o.id WHERE a.session_id = '{archived}'"
            )
        )!;
        var (bytes, metadata) = (
            await archiver.Bucket.GetRawAsync(key, Token),
            (await archiver.Store.HeadAsync(new(key), Token))!.Metadata
        );
        await archiver.Database.ExecuteAsync(
            """
            CREATE SCHEMA earlier;
            CREATE TABLE earlier.sessions AS TABLE chat_sessions; CREATE TABLE earlier.messages AS TABLE chat_messages;
            CREATE TABLE earlier.objects AS TABLE archiver.objects; CREATE TABLE earlier.archives AS TABLE archiver.archives;
            """,
            Token
        );
        Assert.Equal(0, (await archiver.EraseAsync(new() { User = User }, Token)).ExitCode);

        // The database as it was, and from a backup of the bucket one object too.
        await archiver.Database.ExecuteAsync(
            $"""
            DELETE FROM archiver.erasures; DELETE FROM archiver.archives; DELETE FROM archiver.objects;
            INSERT INTO archiver.objects OVERRIDING SYSTEM VALUE SELECT * FROM earlier.objects;
            INSERT INTO archiver.archives OVERRIDING SYSTEM VALUE SELECT * FROM earlier.archives;
            INSERT INTO chat_sessions SELECT * FROM earlier.sessions s
              WHERE NOT EXISTS (SELECT FROM chat_sessions c WHERE c.session_id = s.session_id);
            INSERT INTO chat_messages SELECT * FROM earlier.messages m WHERE NOT EXISTS (SELECT FROM chat_messages c WHERE c.id = m.id);
            """,
            Token
        );
        await PutAsync(archiver, key, bytes, metadata);

        var run = await archiver.RunAsync(Token);
        Assert.Equal((RunOutcome.Refused, 3), (run.Outcome, run.ExitCode));
        Assert.Contains("archiver erase --reapply --yes", run.Error, StringComparison.Ordinal);
        var restored = await archiver.RestoreAsync(RestoreFixture.Session(archived), Token);
        Assert.Equal((0L, TombstoneRefusal), (restored.Restored, Assert.Single(restored.Refused).Reason));
        Assert.Contains(
            TombstoneRefusal,
            (await Assert.ThrowsAsync<ArchiverException>(() => ShowAsync(archiver, archived))).Message,
            StringComparison.Ordinal
        );

        var receipt = await archiver.EraseAsync(new() { Reapply = true }, Token);

        Assert.Equal((0, true), (receipt.ExitCode, receipt.Complete));
        Assert.Equal(forgotten, receipt.Sessions.Select(s => s.SessionId));
        await archiver.Database.ExecuteAsync("DROP SCHEMA earlier CASCADE", Token);
        Assert.DoesNotContain(User, await EverythingAsync(archiver, null), StringComparison.Ordinal);
        Assert.Equal(RunOutcome.Done, (await archiver.RunAsync(Token)).Outcome);
    }

    [Fact]
    public async Task A_rebuilt_ledger_has_no_archive_of_what_was_erased()
    {
        await using var archiver = await ArchivedAsync("session", null);
        var archived = (
            await archiver.Database.ScalarAsync<string>($"SELECT min(session_id) FROM archiver.archives WHERE user_id = '{User}'")
        )!;
        var key = (
            await archiver.Database.ScalarAsync<string>(
                $"SELECT o.key FROM archiver.objects o JOIN archiver.archives a ON a.object_id = o.id WHERE a.session_id = '{archived}'"
            )
        )!;
        var (bytes, metadata) = (
            await archiver.Bucket.GetRawAsync(key, Token),
            (await archiver.Store.HeadAsync(new(key), Token))!.Metadata
        );
        await archiver.EraseAsync(new() { User = User }, Token);
        await PutAsync(archiver, key, bytes, metadata);
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE", Token);

        var rebuilt = await new LedgerRebuilder(archiver.Settings, archiver.Catalog, archiver.Store, TimeProvider.System).RebuildAsync(
            "main",
            otherSystems: false,
            "test",
            null,
            Token
        );

        Assert.Equal((4L, 1L), (rebuilt.Archives, rebuilt.Erased));
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM archiver.archives WHERE session_id = '{archived}'")
        );
        Assert.Equal(0, (await archiver.RestoreAsync(RestoreFixture.Session(archived), Token)).Restored);
        // And the copy that is there can still be found and removed.
        var receipt = await archiver.EraseAsync(new() { Reapply = true }, Token);
        Assert.Equal((archived, 1L, 0), (Assert.Single(receipt.Sessions).SessionId, receipt.Objects, receipt.ExitCode));
        Assert.DoesNotContain(archived, await EverythingAsync(archiver, null), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_key_of_the_tombstones_nothing_comes_back()
    {
        await using var archiver = await ArchivedAsync("session", null);
        var other = (
            await archiver.Database.ScalarAsync<string>(
                $"SELECT min(session_id) FROM archiver.archives WHERE user_id IS DISTINCT FROM '{User}'"
            )
        )!;
        await archiver.EraseAsync(new() { User = User }, Token);
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, "chat_archives/.archiver/erased/key.json.gz", Token);

        var restored = await archiver.RestoreAsync(RestoreFixture.Session(other), Token);

        Assert.Equal((RunOutcome.Refused, 0L), (restored.Outcome, restored.Restored));
        Assert.Contains("nobody can tell", restored.Error, StringComparison.Ordinal);
        Assert.Equal(RunOutcome.Refused, (await archiver.EraseAsync(new() { Ids = [other] }, Token)).Outcome);
    }

    private const string TombstoneRefusal = Archiver.Core.Bucket.TombstoneReader.Refusal;
}
