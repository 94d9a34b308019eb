using Archiver.Testing;
using static Archiver.Worker.Tests.BucketCopy;

namespace Archiver.Worker.Tests;

/// <summary>A bucket that was copied in part, or adopted by an earlier version: nothing comes back, nothing is lost.</summary>
public sealed class MovedBucketDangerTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_bucket_that_was_copied_without_its_tombstones_is_refused_by_every_command_that_could_bring_something_back()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0);
        await archiver.RunAsync("archive");
        var erased = await archiver.Database.ScalarAsync<string>("SELECT min(session_id) FROM archiver.archives");
        var copy = (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Single(k => k.Contains(erased!, StringComparison.Ordinal));
        var bytes = await archiver.Bucket.GetRawAsync(copy, Token);
        await archiver.RunAsync("erase", erased!, "--yes");
        await using var moved = await TestBucket.CreateAsync(servers, Token);
        await CopyAsync(archiver.Bucket, moved, without: "/erased/");
        await moved.PutRawAsync(copy, bytes, Token);
        archiver.With("Storage:Bucket", moved.Name);

        foreach (
            var verb in (string[][])
                [
                    ["ledger", "move", "--yes"],
                    ["restore", "--object", copy],
                    ["archive"],
                    ["reconcile", "--fix", "--yes"],
                    ["ledger", "rebuild"],
                ]
        )
        {
            var result = await archiver.RunAsync(verb);
            Assert.True(result.ExitCode == 3, $"{string.Join(' ', verb)}: {result.ExitCode} {result.Output}{result.Error}");
            Assert.Contains(
                "of the tombstones that this ledger has seen is not in",
                result.Output + result.Error,
                StringComparison.Ordinal
            );
        }
        Assert.Equal(0, await archiver.LiveSessionsAsync());
        Assert.Equal(
            $"s3://{archiver.Bucket.Name}\n",
            await archiver.Database.CopyOutAsync("SELECT DISTINCT location FROM archiver.objects WHERE state = 'stored'")
        );
    }

    // As reconcile --fix left it that knew no moves: each object twice, at its new place without an archive.
    [Fact]
    public async Task What_an_earlier_version_adopted_after_a_move_is_not_removed_and_the_move_clears_it_away()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0);
        var rows = await archiver.RowsAsync();
        await archiver.RunAsync("archive");
        await using var moved = await TestBucket.CreateAsync(servers, Token);
        // Without the manifests, which would protect them as well.
        await CopyAsync(archiver.Bucket, moved, without: "/manifests/");
        archiver.With("Storage:Bucket", moved.Name).With("Safety:ReconcileAge", "1ms");
        await archiver.Database.ExecuteAsync(
            $"""
            INSERT INTO archiver.objects (location, key, attempt, source, run_id, layout, state, members, length, sha256, reason, ended_at)
            SELECT 's3://{moved.Name}', key, attempt, source, run_id, layout, 'abandoned', members, length, sha256,
              'rebuilt from the bucket', now() - interval '1 day' FROM archiver.objects
            """
        );

        var reconciled = await archiver.RunAsync("reconcile", "--fix", "--yes");
        var kept = (await moved.ListKeysAsync("chat_archives/2")).Count;
        var done = await archiver.RunAsync("ledger", "move", "--yes");

        Assert.Equal((1, 3), (reconciled.ExitCode, kept));
        Assert.Contains("3 objects abandoned, and kept", reconciled.Output, StringComparison.Ordinal);
        Assert.True(done.ExitCode == 0, done.Output + done.Error);
        Assert.Equal(3, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.objects"));
        Assert.Equal(0, (await archiver.RunAsync("restore", "--from", "2000-01-01")).ExitCode);
        Assert.Equal(rows, await archiver.RowsAsync());
    }

    [Fact]
    public async Task What_lies_in_the_former_bucket_is_not_called_erased()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.RunAsync("archive");
        var id = await archiver.Database.ScalarAsync<string>("SELECT min(session_id) FROM archiver.archives");
        var (ledger, keys) = (await LedgerAsync(archiver), await archiver.Bucket.ListKeysAsync("chat_archives/2"));
        await using var empty = await TestBucket.CreateAsync(servers, Token);

        var erased = await archiver.With("Storage:Bucket", empty.Name).RunAsync("erase", id!, "--yes");

        Assert.Equal(1, erased.ExitCode);
        Assert.Contains(
            $"its object is in s3://{archiver.Bucket.Name}, and the configured store is s3://{empty.Name}",
            erased.Output,
            StringComparison.Ordinal
        );
        Assert.Contains("NOT COMPLETE", erased.Output, StringComparison.Ordinal);
        Assert.Equal(ledger, await LedgerAsync(archiver));
        Assert.Equal(keys, await archiver.Bucket.ListKeysAsync("chat_archives/2"));
    }

    [Fact]
    public async Task What_lies_in_the_former_bucket_is_not_called_discarded()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        archiver.With("Discard:After", "365d");
        await archiver.RunAsync("archive");
        await archiver.Database.ExecuteAsync(
            """
            UPDATE archiver.archives SET stored_at = now() - interval '400 days';
            UPDATE archiver.objects SET created_at = now() - interval '400 days', stored_at = now() - interval '400 days',
              discard_announced_at = now() - interval '31 days';
            """
        );
        var (ledger, keys) = (await LedgerAsync(archiver), await archiver.Bucket.ListKeysAsync("chat_archives/2"));
        await using var empty = await TestBucket.CreateAsync(servers, Token);

        var discarded = await archiver.With("Storage:Bucket", empty.Name).RunAsync("discard", "--yes");

        Assert.Contains("destroyed 0 archives in 0 objects", discarded.Output, StringComparison.Ordinal);
        Assert.Equal(ledger, await LedgerAsync(archiver));
        Assert.Equal(keys, await archiver.Bucket.ListKeysAsync("chat_archives/2"));
        // There, where they lie, they were due.
        var there = await archiver.With("Storage:Bucket", archiver.Bucket.Name).RunAsync("discard", "--yes");
        Assert.Contains("destroyed 2 archives in 2 objects", there.Output, StringComparison.Ordinal);
    }

    private static Task<string> LedgerAsync(Installation archiver) =>
        archiver.Database.CopyOutAsync(
            "SELECT a.session_id, a.state, o.key, o.location, o.state, o.removal_began_at FROM archiver.archives AS a JOIN "
                + "archiver.objects AS o ON o.id = a.object_id ORDER BY 1"
        );
}
