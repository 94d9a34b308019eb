using System.Text.Json;
using Archiver.Testing;
using static Archiver.Worker.Tests.BucketCopy;

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

    private static async Task<(int, string)> ShownAsync(Installation archiver, params string[] verb)
    {
        var result = await archiver.RunAsync(verb);
        return (result.ExitCode, result.Output);
    }

    private static async Task<string> LedgerAsync(Installation archiver) =>
        await archiver.Database.CopyOutAsync("SELECT id, location, key, state FROM archiver.objects ORDER BY id")
        + await archiver.Database.CopyOutAsync("SELECT session_id, generation, state, object_id FROM archiver.archives ORDER BY 1, 2");
}
