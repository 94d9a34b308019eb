using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// Reconcile adopts what the ledger does not know, and removes nothing of which another object does not hold the same rows.
/// </summary>
public sealed class AdoptedObjectTests(TestServers servers) : LostLedgerScenario(servers)
{
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

    // A manifest says that the rows of the older object were deleted: it is an archive, whatever has its number by now.
    [Theory]
    [InlineData("reconcile --fix --yes")]
    [InlineData("ledger rebuild")]
    public async Task A_confirmed_object_whose_number_another_has_by_now_gets_the_next_one_and_stays_restorable(string command)
    {
        await using var archiver = await CreateAsync(idle: 2);
        var rows = await archiver.RowsAsync();
        await archiver.RunAsync("archive");
        Assert.Equal(0, (await archiver.RunAsync("restore", "--from", "2000-01-01")).ExitCode);
        await archiver.Database.ExecuteAsync($"UPDATE chat_messages SET content = 'edited'; {Forget}");
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);

        for (var i = 0; i < 2; i++)
            Assert.Equal(0, (await archiver.RunAsync(command.Split(' '))).ExitCode);

        Assert.Equal(
            "1\tarchived\t2\n2\tsuperseded\t2\n",
            await archiver.Database.CopyOutAsync(
                "SELECT generation, state, count(*) FROM archiver.archives GROUP BY generation, state ORDER BY generation"
            )
        );
        var ids = (await archiver.Database.CopyOutAsync("SELECT DISTINCT session_id FROM archiver.archives")).TrimEnd().Split('\n');
        Assert.Equal(0, (await archiver.RunAsync(["restore", .. ids, "--generation", "2"])).ExitCode);
        Assert.Equal(rows, await archiver.RowsAsync());
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
