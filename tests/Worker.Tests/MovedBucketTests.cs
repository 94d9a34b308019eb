using System.Text.Json;
using Amazon.S3.Model;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>An object is what it holds, not where it lies: a bucket or prefix that was moved, at the command line.</summary>
public sealed class MovedBucketTests(TestServers servers)
{
    private const string Places = "SELECT DISTINCT location, split_part(key, '/', 1) FROM archiver.objects ORDER BY 1, 2";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Reconcile_takes_the_same_object_at_its_old_place_for_no_newer_copy()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0);
        await archiver.RunAsync("archive");
        await using var moved = await TestBucket.CreateAsync(servers, Token);
        await CopyAsync(archiver.Bucket, moved);
        archiver.With("Storage:Bucket", moved.Name).With("Safety:ReconcileAge", "1ms");
        var ledger = await LedgerAsync(archiver);

        var first = await archiver.RunAsync("reconcile", "--fix", "--yes");
        var second = await archiver.RunAsync("reconcile", "--fix", "--yes", "--json");
        var rebuilt = await archiver.RunAsync("ledger", "rebuild");

        Assert.Equal(3, (await moved.ListKeysAsync("chat_archives/2")).Count);
        Assert.Equal(ledger, await LedgerAsync(archiver));
        Assert.Equal((1, 1, 0), (first.ExitCode, second.ExitCode, rebuilt.ExitCode));
        Assert.Contains("3 objects the same as objects that the ledger has elsewhere", first.Output, StringComparison.Ordinal);
        Assert.Contains($"3 objects of the ledger not looked at, in s3://{archiver.Bucket.Name}", first.Output, StringComparison.Ordinal);
        Assert.Contains("3 objects left out that the ledger has elsewhere", rebuilt.Output, StringComparison.Ordinal);
        var report = JsonDocument.Parse(second.Output).RootElement[0];
        Assert.Equal(
            (3, 0, 0),
            (
                report.GetProperty("copies").GetArrayLength(),
                report.GetProperty("removable").GetArrayLength(),
                report.GetProperty("unrecorded").GetArrayLength()
            )
        );
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_move_is_told_to_the_ledger_once_every_object_was_read_at_its_new_place(bool versioned)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 4, young: 1);
        var rows = await archiver.RowsAsync();
        await archiver.RunAsync("archive");
        await using var moved = await TestBucket.CreateAsync(servers, Token, versioned: versioned);
        await CopyAsync(archiver.Bucket, moved);
        var keys = await moved.ListKeysAsync("chat_archives/2");
        var right = await moved.GetRawAsync(keys[0], Token);
        archiver.With("Storage:Bucket", moved.Name);
        var ledger = await LedgerAsync(archiver);

        await moved.Client.DeleteObjectAsync(moved.Name, keys[0], Token);
        var missing = await archiver.RunAsync("ledger", "move", "--yes");
        await moved.PutRawAsync(keys[0], [.. right.Reverse()], Token);
        var other = await archiver.RunAsync("ledger", "move", "--yes", "--json");
        await moved.PutRawAsync(keys[0], right, Token);
        var plan = await archiver.RunAsync("ledger", "move");

        Assert.Equal((3, 3, 0), (missing.ExitCode, other.ExitCode, plan.ExitCode));
        Assert.Contains($"{keys[0]}: it is not there", missing.Output, StringComparison.Ordinal);
        Assert.Contains("REFUSED: nothing was changed", missing.Output, StringComparison.Ordinal);
        Assert.Contains("it is another object", other.Output, StringComparison.Ordinal);
        Assert.Contains("4 objects", plan.Output, StringComparison.Ordinal);
        Assert.Equal(ledger, await LedgerAsync(archiver));

        var done = await archiver.RunAsync("ledger", "move", "--from", $"s3://{archiver.Bucket.Name}", "--yes");
        Assert.True(done.ExitCode == 0, done.Output + done.Error);
        Assert.Equal($"s3://{moved.Name}\tchat_archives\n", await archiver.Database.CopyOutAsync(Places));
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.audit WHERE action = 'move'"));
        // What the old bucket still holds is nobody's business any more.
        foreach (var key in await archiver.Bucket.ListKeysAsync())
            await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, key, Token);
        Assert.Equal((0, "main: bucket, ledger and rows agree\n"), await ShownAsync(archiver, "reconcile"));
        Assert.Equal(0, (await archiver.RunAsync("verify", "--all")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("restore", "--from", "2000-01-01")).ExitCode);
        Assert.Equal(rows, await archiver.RowsAsync());
        Assert.Contains("nothing to move", (await archiver.RunAsync("ledger", "move", "--yes")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_move_to_another_prefix_of_the_same_bucket_wants_the_old_one_by_name()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        var rows = await archiver.RowsAsync();
        await archiver.RunAsync("archive");
        foreach (var key in await archiver.Bucket.ListKeysAsync())
            await archiver.Bucket.Client.CopyObjectAsync(
                archiver.Bucket.Name,
                key,
                archiver.Bucket.Name,
                key.Replace("chat_archives/", "cold/chats/", StringComparison.Ordinal),
                Token
            );
        archiver.With("Storage:Prefix", "cold/chats");

        var unnamed = await archiver.RunAsync("ledger", "move", "--yes");
        var done = await archiver.RunAsync("ledger", "move", "--from-prefix", "chat_archives", "--yes");

        Assert.Equal(2, unnamed.ExitCode);
        Assert.Contains("--from-prefix", unnamed.Error, StringComparison.Ordinal);
        Assert.True(done.ExitCode == 0, done.Output + done.Error);
        Assert.Equal($"s3://{archiver.Bucket.Name}\tcold\n", await archiver.Database.CopyOutAsync(Places));
        Assert.Equal((0, "main: bucket, ledger and rows agree\n"), await ShownAsync(archiver, "reconcile"));
        // The manifests name the old keys; what they confirm is known by its content.
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");
        Assert.Equal(0, (await archiver.RunAsync("ledger", "rebuild")).ExitCode);
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE reason LIKE '%no manifest%'")
        );
        Assert.Equal(0, (await archiver.RunAsync("restore", "--from", "2000-01-01")).ExitCode);
        Assert.Equal(rows, await archiver.RowsAsync());
    }

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

    internal static async Task CopyAsync(TestBucket from, TestBucket to, string? without = null)
    {
        foreach (var key in await from.ListKeysAsync(cancellationToken: Token))
        {
            if (without is null || !key.Contains(without, StringComparison.Ordinal))
                await to.Client.CopyObjectAsync(
                    new CopyObjectRequest
                    {
                        SourceBucket = from.Name,
                        SourceKey = key,
                        DestinationBucket = to.Name,
                        DestinationKey = key,
                    },
                    Token
                );
        }
    }

    private static async Task<(int, string)> ShownAsync(Installation archiver, params string[] verb)
    {
        var result = await archiver.RunAsync(verb);
        return (result.ExitCode, result.Output);
    }

    private static async Task<string> LedgerAsync(Installation archiver) =>
        await archiver.Database.CopyOutAsync("SELECT id, location, key, state FROM archiver.objects ORDER BY id")
        + await archiver.Database.CopyOutAsync("SELECT session_id, generation, state, object_id FROM archiver.archives ORDER BY 1, 2");
}
