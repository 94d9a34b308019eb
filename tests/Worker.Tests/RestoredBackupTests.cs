using Amazon.S3.Model;
using Archiver.Core.Diagnostics;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// A ledger that was lost or is of an earlier time, at the command line: rebuild and reconcile choose by time and content, and remove
/// nothing of which another object does not hold the same rows.
/// </summary>
public sealed class RestoredBackupTests(TestServers servers)
{
    private const string Forget = "DELETE FROM archiver.archives; DELETE FROM archiver.objects; DELETE FROM archiver.runs";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_object_with_one_message_more_is_no_duplicate_of_its_generation(bool versioned)
    {
        await using var archiver = await CreateAsync(idle: 2, versioned);
        await archiver.RunAsync("archive");
        // The database as it was before, without the last message of each session; the worker had been killed before it wrote its manifest.
        await RemoveManifestsAsync(archiver);
        Assert.Equal(0, (await archiver.RunAsync("restore", "--from", "2000-01-01")).ExitCode);
        await archiver.Database.ExecuteAsync(
            $"DELETE FROM chat_messages WHERE id IN (SELECT max(id) FROM chat_messages GROUP BY session_id); {Forget}"
        );
        var longer = await archiver.Bucket.ListKeysAsync("chat_archives/2");
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(4, (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count);

        var first = await archiver.RunAsync("reconcile", "--fix", "--yes");
        var second = await archiver.RunAsync("reconcile", "--fix", "--yes");

        Assert.Equal((0, 0), (first.ExitCode, second.ExitCode));
        Assert.Contains("2 objects adopted", first.Output, StringComparison.Ordinal);
        Assert.Contains("2 objects abandoned, and kept", second.Output, StringComparison.Ordinal);
        Assert.Contains(
            "is neither live nor, with the same rows, in an object that was read back now",
            second.Output,
            StringComparison.Ordinal
        );
        Assert.Equal(4, (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count);
        Assert.All(longer, key => Assert.Contains(key, second.Output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task One_command_does_not_adopt_an_object_and_remove_it()
    {
        await using var archiver = await CreateAsync(idle: 3);
        await archiver.RunAsync("archive");
        await RemoveManifestsAsync(archiver);
        Assert.Equal(0, (await archiver.RunAsync("restore", "--from", "2000-01-01")).ExitCode);
        await archiver.Database.ExecuteAsync(Forget);
        // The same rows again: each of the older objects is the other's duplicate.
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);

        var adopted = await archiver.RunAsync("reconcile", "--fix", "--yes");
        var kept = (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count;
        var removed = await archiver.RunAsync("reconcile", "--fix", "--yes");

        Assert.Equal(6, kept);
        Assert.Contains("3 objects adopted", adopted.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("removed", adopted.Output, StringComparison.Ordinal);
        Assert.Contains("3 objects abandoned and superfluous: removed", removed.Output, StringComparison.Ordinal);
        Assert.Equal(
            (0, 3),
            ((await archiver.RunAsync("verify", "--all")).ExitCode, (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count)
        );
    }

    [Fact]
    public async Task What_a_copy_at_another_key_no_longer_holds_when_it_is_read_back_is_not_removed()
    {
        await using var archiver = await CreateAsync(idle: 2);
        await archiver.RunAsync("archive");
        await RemoveManifestsAsync(archiver);
        Assert.Equal(0, (await archiver.RunAsync("restore", "--from", "2000-01-01")).ExitCode);
        await archiver.Database.ExecuteAsync(Forget);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        await archiver.RunAsync("reconcile", "--fix", "--yes");
        // As long as before, and with other bytes: a HEAD would not notice.
        var keepers = (
            await archiver.Database.CopyOutAsync(
                "SELECT o.key FROM archiver.objects o JOIN archiver.archives a ON a.object_id = o.id ORDER BY 1"
            )
        )
            .TrimEnd()
            .Split('\n');
        await archiver.Bucket.PutRawAsync(keepers[0], new byte[(await archiver.Bucket.GetRawAsync(keepers[0], Token)).Length], Token);

        var result = await archiver.RunAsync("reconcile", "--fix", "--yes");

        Assert.Contains("1 object abandoned and superfluous: removed", result.Output, StringComparison.Ordinal);
        Assert.Contains("1 object abandoned, and kept", result.Output, StringComparison.Ordinal);
        Assert.Equal(3, (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_rebuilt_ledger_takes_no_stale_object_for_the_archive_and_reconcile_leaves_the_newest(bool versioned)
    {
        await using var archiver = await CreateAsync(idle: 12, versioned);
        Assert.Equal(ProcessFault.Killed, await KilledAsync(archiver, FaultPoints.Uploaded));
        await archiver.Database.ExecuteAsync(
            "INSERT INTO chat_messages (session_id, role, content, timestamp) SELECT session_id, 'user', "
                + "'one more', last_activity FROM chat_sessions"
        );
        var rows = await archiver.RowsAsync();
        // The commit is through, its manifest is not.
        Assert.Equal(ProcessFault.Killed, await KilledAsync(archiver, FaultPoints.DeleteCommitted));
        Assert.Equal((0, 24), (await archiver.LiveSessionsAsync(), (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count));
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");

        var rebuilt = await archiver.RunAsync("ledger", "rebuild");
        var first = await archiver.RunAsync("reconcile", "--fix", "--yes");
        var second = await archiver.RunAsync("reconcile", "--fix", "--yes");

        Assert.Equal((0, 0, 0), (rebuilt.ExitCode, first.ExitCode, second.ExitCode));
        Assert.Equal(24, (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count);
        Assert.Equal(0, (await archiver.RunAsync("restore", "--from", "2000-01-01")).ExitCode);
        Assert.Equal(rows, await archiver.RowsAsync());
    }

    // The objects lie in another bucket, copied newest first, under keys whose nonces order nothing.
    [Fact]
    public async Task Without_a_ledger_the_newest_document_is_restored_and_not_the_object_that_was_written_last()
    {
        await using var archiver = await CreateAsync(idle: 1, versioned: true);
        Assert.Equal(ProcessFault.Killed, await KilledAsync(archiver, FaultPoints.Uploaded));
        var stale = await archiver.Bucket.ListKeysAsync("chat_archives/2");
        await archiver.Database.ExecuteAsync(
            "INSERT INTO chat_messages (session_id, role, content, timestamp) SELECT session_id, 'user', "
                + "'one more', last_activity FROM chat_sessions"
        );
        var rows = await archiver.RowsAsync();
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        var id = await archiver.Database.ScalarAsync<string>("SELECT session_id FROM archiver.archives");
        await archiver.Bucket.PutRawAsync(stale[0], await archiver.Bucket.GetRawAsync(stale[0], Token), Token);
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");

        var restored = await archiver.RunAsync("restore", id!);

        Assert.True(restored.ExitCode == 0, restored.Output + restored.Error);
        Assert.Equal(rows, await archiver.RowsAsync());
    }

    // The bucket has a second generation of the time that was given up; the first one of the restored ledger was read later.
    [Theory]
    [InlineData("reconcile --fix --yes")]
    [InlineData("ledger rebuild")]
    [InlineData("")]
    public async Task What_was_archived_last_is_the_newest_whatever_generations_a_restored_backup_left_in_the_bucket(string command)
    {
        await using var archiver = await CreateAsync(idle: 2);
        await archiver.Database.ExecuteAsync(
            "CREATE TABLE backup AS TABLE chat_sessions; CREATE TABLE messages_backup AS TABLE chat_messages"
        );
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("restore", "--from", "2000-01-01")).ExitCode);
        await archiver.Database.ExecuteAsync(
            "UPDATE archiver.archives SET restored_at = now() - interval '60 days'; UPDATE chat_messages SET content = 'given up'"
        );
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(0, await archiver.LiveSessionsAsync());
        await archiver.Database.ExecuteAsync(
            $"{Forget}; INSERT INTO chat_sessions SELECT * FROM backup; INSERT INTO chat_messages "
                + "OVERRIDING SYSTEM VALUE SELECT * FROM messages_backup; UPDATE chat_messages SET content = 'newest'"
        );
        var rows = await archiver.RowsAsync();
        var ids = (await archiver.Database.CopyOutAsync("SELECT session_id FROM chat_sessions")).TrimEnd().Split('\n');
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        if (!command.StartsWith("reconcile", StringComparison.Ordinal))
            await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");

        var settled = command.Length == 0 ? null : await archiver.RunAsync(command.Split(' '));
        var shown = command.Length == 0 ? null : await archiver.RunAsync("show", ids[0]);
        var restored = await archiver.RunAsync(["restore", .. ids]);

        Assert.True(settled is null || settled.ExitCode == 0, settled?.Output + settled?.Error);
        Assert.True(shown is null || shown.Output.Contains("newest", StringComparison.Ordinal), shown?.Output + shown?.Error);
        Assert.True(restored.ExitCode == 0, restored.Output + restored.Error);
        Assert.Equal(rows, await archiver.RowsAsync());
        if (command.StartsWith("reconcile", StringComparison.Ordinal))
            Assert.Equal(
                0,
                await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE reason LIKE '%no manifest%'")
            );
    }

    [Fact]
    public async Task Reconcile_names_what_was_put_over_an_object_replaced_or_renamed_and_calls_none_of_it_lost()
    {
        await using var archiver = await CreateAsync(idle: 3);
        await archiver.RunAsync("archive");
        var keys = await archiver.Bucket.ListKeysAsync("chat_archives/2");
        await archiver.Bucket.PutRawAsync(keys[0], [], Token);
        await archiver.Bucket.PutRawAsync(
            keys[1].Replace(".json.gz", "~aa.json.gz", StringComparison.Ordinal),
            await archiver.Bucket.GetRawAsync(keys[1], Token),
            Token
        );
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, keys[1], Token);

        var seen = await archiver.RunAsync("reconcile");

        Assert.Equal(1, seen.ExitCode);
        Assert.Contains($"{keys[0]}: another object lies in its place: of 0 bytes", seen.Output, StringComparison.Ordinal);
        Assert.Contains($"{keys[1]}: it lies under another name: move", seen.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("only a backup", seen.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_lies_under_a_later_version_is_named_and_what_is_gone_is_not_called_left()
    {
        await using var archiver = await CreateAsync(idle: 2, versioned: true);
        await archiver.RunAsync("archive");
        var objects = (await archiver.Database.CopyOutAsync("SELECT key, version_id FROM archiver.objects ORDER BY key"))
            .TrimEnd()
            .Split('\n')
            .Select(l => l.Split('\t'))
            .ToList();
        foreach (var covered in objects)
            await archiver.Bucket.PutRawAsync(covered[0], [1, 2, 3], Token);
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, objects[1][0], objects[1][1], Token);

        var seen = await archiver.RunAsync("reconcile");
        var verified = await archiver.RunAsync("verify", "--all");

        Assert.Equal((1, 1), (seen.ExitCode, verified.ExitCode));
        Assert.Contains($"{objects[0][0]}: version ", seen.Output, StringComparison.Ordinal);
        Assert.Contains("was put over it", seen.Output, StringComparison.Ordinal);
        Assert.Contains("the version that was archived is gone", verified.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("not lost", verified.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("delete marker", verified.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_delete_marker_hides_is_not_missing_and_a_rebuilt_ledger_has_it()
    {
        await using var archiver = await CreateAsync(idle: 4, versioned: true);
        var rows = await archiver.RowsAsync();
        await archiver.RunAsync("archive");
        var objects = (await archiver.Database.CopyOutAsync("SELECT key, version_id FROM archiver.objects ORDER BY key"))
            .TrimEnd()
            .Split('\n')
            .Select(l => l.Split('\t'))
            .ToList();
        foreach (var hidden in objects.Take(2))
            await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, hidden[0], Token);

        var seen = await archiver.RunAsync("reconcile");
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");
        var rebuilt = await archiver.RunAsync("ledger", "rebuild");
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, objects[1][0], objects[1][1], Token);
        var lost = await archiver.RunAsync("reconcile");
        await archiver.Bucket.Client.DeleteObjectAsync(
            new DeleteObjectRequest { BucketName = archiver.Bucket.Name, Key = objects[3][0] },
            Token
        );
        var restored = await archiver.RunAsync("restore", "--from", "2000-01-01");

        Assert.Equal(1, seen.ExitCode);
        Assert.Contains("2 objects in the ledger and hidden in the bucket", seen.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("only a backup", seen.Output, StringComparison.Ordinal);
        Assert.Contains("4 archives added to the ledger", rebuilt.Output, StringComparison.Ordinal);
        Assert.Contains(
            "1 object in the ledger and in no version in the bucket: only a backup of the bucket brings them back",
            lost.Output,
            StringComparison.Ordinal
        );
        Assert.Contains("1 object in the ledger and hidden in the bucket", lost.Output, StringComparison.Ordinal);
        Assert.Equal(1, restored.ExitCode);
        Assert.Equal(3, await archiver.LiveSessionsAsync());
        Assert.True(rows.Length > 0);
    }

    // The ledger knows no version of it, so nothing but the listing of versions says that it is there.
    [Fact]
    public async Task What_was_stored_before_the_bucket_kept_versions_and_is_hidden_now_is_called_hidden_and_is_rebuilt()
    {
        await using var archiver = await CreateAsync(idle: 2);
        var rows = await archiver.RowsAsync();
        await archiver.RunAsync("archive");
        await KeepVersionsAsync(archiver);
        var key = (await archiver.Bucket.ListKeysAsync("chat_archives/2"))[0];
        var id = await archiver.Database.ScalarAsync<string>($"SELECT members[1] FROM archiver.objects WHERE key = '{key}'");
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, key, Token);

        var verified = await archiver.RunAsync("verify", "--all");
        var shown = await archiver.RunAsync("show", id!);
        var reconciled = await archiver.RunAsync("reconcile");
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");
        var rebuilt = await archiver.RunAsync("ledger", "rebuild");

        Assert.Equal((1, 1, 1, 0), (verified.ExitCode, shown.ExitCode, reconciled.ExitCode, rebuilt.ExitCode));
        Assert.Matches($"hidden +{id} +1 +{key}", verified.Output);
        Assert.Contains("it is not lost: 1 of its versions", shown.Error, StringComparison.Ordinal);
        Assert.Contains("the ledger knows no version to read it by", reconciled.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("only a backup", reconciled.Output, StringComparison.Ordinal);
        Assert.Contains("2 archives added", rebuilt.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await archiver.RunAsync("restore", "--from", "2000-01-01")).ExitCode);
        Assert.Equal(rows, await archiver.RowsAsync());
    }

    private async Task<Installation> CreateAsync(int idle, bool versioned = false)
    {
        var archiver = await Installation.CreateAsync(servers, Token, idle: idle, young: 0);
        if (versioned)
            await KeepVersionsAsync(archiver);
        // No age protects anything here.
        return archiver.With("Safety:ReconcileAge", "1ms").With("Sources:main:Policies:idle:RestoreGrace", "0s");
    }

    private static async Task KeepVersionsAsync(Installation archiver) =>
        await archiver.Bucket.Client.PutBucketVersioningAsync(
            new PutBucketVersioningRequest
            {
                BucketName = archiver.Bucket.Name,
                VersioningConfig = new S3BucketVersioningConfig { Status = Amazon.S3.VersionStatus.Enabled },
            },
            Token
        );

    private static async Task<int> KilledAsync(Installation archiver, string point)
    {
        await using var worker = archiver.Start(ProcessFault.At(point), "archive");
        return (await worker.WaitForExitAsync(Token)).ExitCode;
    }

    private static async Task RemoveManifestsAsync(Installation archiver)
    {
        foreach (
            var version in (
                await archiver.Bucket.Client.ListVersionsAsync(archiver.Bucket.Name, "chat_archives/.archiver/manifests/", Token)
            ).Versions
                ?? []
        )
            await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, version.Key, version.VersionId, Token);
    }
}
