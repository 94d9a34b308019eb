using Archiver.Core.Diagnostics;
using Archiver.Core.Erasure;
using Archiver.Core.Reconciliation;
using Archiver.Integration.Tests.Restore;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>Every copy of what is erased goes, under whatever version of an object it lies.</summary>
public sealed class ErasedCopiesTests(TestServers servers) : ErasureScenario(servers)
{
    [Fact]
    public async Task Every_generation_version_and_copy_goes()
    {
        await using var archiver = await ArchivedAsync("session", null, versioned: true);
        var session = (
            await archiver.Database.ScalarAsync<string>($"SELECT min(session_id) FROM archiver.archives WHERE user_id = '{User}'")
        )!;
        await archiver.RestoreAsync(RestoreFixture.Session(session), Token);
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = restored_at - interval '1 year'", Token);
        // The second generation; and a copy that a crash left, known to the ledger by its members alone; and one that it does not know at
        // all.
        Assert.Equal(1, (await archiver.RunAsync(Token)).Sessions);
        var first = await archiver.Database.ScalarAsync<string>(
            "SELECT o.key FROM archiver.objects o JOIN archiver.archives a ON "
                + $"a.object_id = o.id WHERE a.session_id = '{session}' AND a.generation = 1"
        );
        var bytes = await archiver.Bucket.GetRawAsync(first!, Token);
        await archiver.Bucket.PutRawAsync(first!, bytes, Token);
        await archiver.Bucket.PutRawAsync("chat_archives/2020/01/left.json.gz", bytes, Token);
        await archiver.Database.ExecuteAsync(
            $"""
            INSERT INTO archiver.objects (location, key, attempt, source, run_id, layout, state, members, length, sha256)
            SELECT location, 'chat_archives/2020/01/left.json.gz', 'x', source, run_id, layout, 'abandoned', ARRAY['{session}'],
              {bytes.Length}, ''
              FROM archiver.objects LIMIT 1
            """,
            Token
        );
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, first, Token);

        var receipt = await archiver.EraseAsync(new() { Ids = [session] }, Token);

        Assert.Equal((0, 2L, 3L), (receipt.ExitCode, receipt.Archives, receipt.Objects));
        var versions = (await archiver.Bucket.Client.ListVersionsAsync(archiver.Bucket.Name, "chat_archives/2", Token)).Versions;
        Assert.Equal(5, versions.Count);
        Assert.DoesNotContain(versions, v =>
            v.Key.Contains(session, StringComparison.Ordinal) || v.Key.Contains("left", StringComparison.Ordinal)
        );
        Assert.DoesNotContain(session, await EverythingAsync(archiver, null), StringComparison.Ordinal);
    }

    // As after a restore of the bucket from a backup. Of a bundle the others' part is as it was, for whoever may need it.
    [Theory]
    [InlineData("session", "state = 'discarded'")]
    [InlineData("session", "state = 'abandoned', reason = 'removed by reconcile'")]
    [InlineData("bundle", "state = 'discarded'")]
    public async Task What_was_removed_and_is_in_the_bucket_again_is_named_by_reconcile_and_goes(string where, string removed)
    {
        await using var archiver = await ArchivedAsync(where, null);
        var sessions = await SessionsOfUserAsync(archiver);
        await archiver.Database.ExecuteAsync(
            $"UPDATE archiver.objects SET {removed}, ended_at = now(); UPDATE archiver.archives SET state = 'discarded', ended_at = now()",
            Token
        );
        var folder = where == "bundle" ? "chat_archives/bundles/" : "chat_archives/2";
        var keys = await archiver.Bucket.ListKeysAsync(folder, Token);

        var reconciled = await new Reconciler(archiver.Settings, archiver.Catalog, archiver.Store, TimeProvider.System).RunAsync(
            "main",
            fix: false,
            "test",
            Token
        );
        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.Equal(keys, reconciled.Returned);
        Assert.True(reconciled.NeedsAttention);
        Assert.Equal((null, true, 0), (receipt.Error, receipt.Complete, receipt.ExitCode));
        var left = await EverythingAsync(archiver, null);
        Assert.All(sessions, s => Assert.DoesNotContain(s, left, StringComparison.Ordinal));
        Assert.Equal(where == "bundle" ? 1 : 4, (await archiver.Bucket.ListKeysAsync(folder, Token)).Count);
    }

    [Fact]
    public async Task Versions_behind_a_delete_marker_that_no_ledger_knows_go_too_and_what_cannot_be_read_is_named()
    {
        await using var archiver = await ArchivedAsync("session", null, versioned: true);
        var session = (
            await archiver.Database.ScalarAsync<string>($"SELECT min(session_id) FROM archiver.archives WHERE user_id = '{User}'")
        )!;
        var key = (
            await archiver.Database.ScalarAsync<string>(
                $"SELECT o.key FROM archiver.objects o JOIN archiver.archives a ON a.object_id = o.id WHERE a.session_id = '{session}'"
            )
        )!;
        var (bytes, metadata) = (
            await archiver.Bucket.GetRawAsync(key, Token),
            (await archiver.Store.HeadAsync(new(key), Token))!.Metadata
        );
        const string hidden = "chat_archives/2020/01/hidden.json.gz",
            damaged = "chat_archives/2020/01/damaged.json.gz";
        await PutAsync(archiver, hidden, bytes, metadata);
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, hidden, Token);
        await PutAsync(archiver, damaged, [1, 2, 3], metadata);

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.Equal((1, false, 3L), (receipt.ExitCode, receipt.Complete, receipt.Objects));
        Assert.All(receipt.Sessions, s => Assert.Equal(ErasedSession.Erased, s.State));
        Assert.StartsWith(
            $"'{damaged}', which the ledger does not know, cannot be read",
            Assert.Single(receipt.Unresolved),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(
            (await archiver.Bucket.Client.ListVersionsAsync(archiver.Bucket.Name, "chat_archives/2", Token)).Versions,
            v => v.Key is hidden || v.Key == key
        );
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, damaged, Token);
        foreach (var version in (await archiver.Bucket.Client.ListVersionsAsync(archiver.Bucket.Name, damaged, Token)).Versions)
            await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, damaged, version.VersionId, Token);
        Assert.True((await archiver.EraseAsync(new() { User = User }, Token)).Complete);
    }

    [Fact]
    public async Task A_bundle_that_no_ledger_knows_stays_and_is_named_when_it_holds_somebody_else_too()
    {
        await using var archiver = await ArchivedAsync("bundle", null);
        const string copy = "chat_archives/bundles/2020/01/copy.jsonl.gz";
        await CopyAsync(archiver, await KeyOfUserAsync(archiver), copy);

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.Equal((null, RunOutcome.Partial, 1, false), (receipt.Error, receipt.Outcome, receipt.ExitCode, receipt.Complete));
        var left = receipt.Sessions.Where(s => s.State == ErasedSession.Remaining).ToList();
        Assert.Equal(2, left.Count);
        Assert.All(left, s => Assert.StartsWith($"'{copy}' holds other sessions too", Assert.Single(s.Reasons), StringComparison.Ordinal));
        Assert.Contains(copy, await archiver.Bucket.ListKeysAsync("chat_archives/bundles/", Token));
    }

    // The database was restored to a moment between the record of the object and the commit, and the next run found its run dead.
    [Theory]
    [InlineData("abandoned")]
    [InlineData("pending")]
    public async Task A_manifest_names_nobody_any_more_whose_object_has_no_archive(string state)
    {
        await using var archiver = await ArchivedAsync("session", null);
        var session = (
            await archiver.Database.ScalarAsync<string>($"SELECT min(session_id) FROM archiver.archives WHERE user_id = '{User}'")
        )!;
        await archiver.Database.ExecuteAsync(
            $"DELETE FROM archiver.archives WHERE session_id = '{session}'; UPDATE archiver.objects SET state = '{state}' WHERE members = "
                + $"ARRAY['{session}']",
            Token
        );

        var receipt = await archiver.EraseAsync(new() { Ids = [session] }, Token);

        Assert.Equal((null, true, 0L, 1L, 1L), (receipt.Error, receipt.Complete, receipt.Archives, receipt.Objects, receipt.Manifests));
        Assert.DoesNotContain(session, await EverythingAsync(archiver, null), StringComparison.Ordinal);
        // What the manifest confirms of the others is still confirmed.
        Assert.Single(await archiver.Bucket.ListKeysAsync("chat_archives/.archiver/manifests/", Token));
    }
}
