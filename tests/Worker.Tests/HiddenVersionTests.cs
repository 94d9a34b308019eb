using Amazon.S3.Model;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Versions of objects that lie under others, or under a delete marker, are named and rebuilt.</summary>
public sealed class HiddenVersionTests(TestServers servers) : LostLedgerScenario(servers)
{
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
}
