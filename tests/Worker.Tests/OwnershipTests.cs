using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// A copy of the database has the same ledger and none of the holds that came later: it destroys no object until it is told that it is the
/// owner.
/// </summary>
public sealed class OwnershipTests(TestServers servers) : OwnershipScenario(servers)
{
    [Fact]
    public async Task A_copy_made_from_the_database_as_template_destroys_nothing_until_it_owns_the_ledger()
    {
        await using var archiver = await ArchivedAsync();
        await using var copy = await TestDatabase.CopyAsync(archiver.Database, Token);
        archiver.With("Sources:main:ConnectionString", copy.ConnectionString);
        var session = await copy.ScalarAsync<string>("SELECT min(session_id) FROM archiver.archives");

        foreach (
            var command in new string[][]
            {
                ["discard", "--yes"],
                ["discard"],
                ["erase", session!, "--yes"],
                ["erase", session!],
                ["reconcile", "--fix", "--yes"],
            }
        )
        {
            var refused = await archiver.RunAsync(command);
            Assert.Equal(3, refused.ExitCode);
            Assert.Contains("another database of the same server", refused.Output + refused.Error, StringComparison.Ordinal);
            Assert.Contains("archiver ledger own --yes", refused.Output + refused.Error, StringComparison.Ordinal);
        }
        Assert.Equal(3, (await ObjectsAsync(archiver)).Count);
        Assert.Contains(
            "discard, erase and reconcile --fix destroy nothing: this ledger belongs to database",
            (await archiver.RunAsync("status")).Output,
            StringComparison.Ordinal
        );

        Assert.Equal(3, (await archiver.RunAsync("ledger", "own")).ExitCode);
        Assert.Equal(3, (await archiver.RunAsync("discard", "--yes")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("ledger", "own", "--yes")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("discard", "--yes")).ExitCode);
        Assert.Empty(await ObjectsAsync(archiver));
    }

    /// <summary>A run changes rows of the database that it runs in and destroys no object, so it asks for no owner.</summary>
    [Fact]
    public async Task A_copy_expires_its_own_sessions_and_nobody_elses()
    {
        await using var archiver = await Installation.CreateAsync(Servers, Token, idle: 2, young: 1, preset: "status-expiry");
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        await archiver.Database.ExecuteAsync("UPDATE sessions SET status = 'active', expires_at = now() - interval '1 second'");
        await using var copy = await TestDatabase.CopyAsync(archiver.Database, Token);
        archiver
            .With("Sources:main:ConnectionString", copy.ConnectionString)
            .With("Sources:main:Policies:over:Action", "Expire")
            .With("Sources:main:Policies:over:ExpiredFor", "0s");

        var result = await archiver.RunAsync("expire");

        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        Assert.Equal(
            ("expired", "active"),
            (
                await copy.ScalarAsync<string>("SELECT status FROM sessions"),
                await archiver.Database.ScalarAsync<string>("SELECT status FROM sessions")
            )
        );
        Assert.Equal(2, (await ObjectsAsync(archiver)).Count);
    }

    [Fact]
    public async Task The_worker_on_a_copy_destroys_nothing_at_night_and_says_so()
    {
        await using var archiver = await ArchivedAsync();
        await using var copy = await TestDatabase.CopyAsync(archiver.Database, Token);
        archiver.With("Sources:main:ConnectionString", copy.ConnectionString);

        await using var worker = archiver.Start("run");
        await Eventually.TrueAsync(
            async () =>
                await copy.ScalarAsync<long>("SELECT count(*) FROM archiver.runs WHERE action = 'discard' AND state = 'refused'") >= 1,
            Token
        );
        await worker.WaitForTextAsync("archiver ledger own --yes", Token);

        Assert.Equal(3, (await ObjectsAsync(archiver)).Count);
        Assert.Contains(
            "Nothing was destroyed: this ledger belongs to database",
            await copy.ScalarAsync<string>("SELECT error FROM archiver.runs WHERE action = 'discard'"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_copy_with_an_id_of_its_own_never_destroys_the_originals_objects()
    {
        await using var archiver = await ArchivedAsync();
        await using var copy = await TestDatabase.CopyAsync(archiver.Database, Token);
        archiver.With("Sources:main:ConnectionString", copy.ConnectionString);
        var session = await copy.ScalarAsync<string>("SELECT min(session_id) FROM archiver.archives");

        Assert.Equal(0, (await archiver.RunAsync("ledger", "own", "--copy", "--yes")).ExitCode);
        var discarded = await archiver.RunAsync("discard", "--yes");
        var shared = await archiver.RunAsync("erase", session!, "--yes");
        var tombstones = await archiver.Bucket.ListKeysAsync("chat_archives/.archiver/erased/");
        var erased = await archiver.With("Storage:Prefix", "copy").RunAsync("erase", session!, "--yes");
        // Its tombstone is under the copy's prefix.
        await copy.ExecuteAsync("DELETE FROM archiver.erasures");
        Assert.NotEqual(3, (await archiver.With("Storage:Prefix", null).RunAsync("reconcile", "--fix", "--yes")).ExitCode);

        Assert.Equal(1, discarded.ExitCode);
        Assert.Contains("it is of another ledger", discarded.Output, StringComparison.Ordinal);
        // A tombstone beside the original's archives would erase the original's session.
        Assert.Equal(3, shared.ExitCode);
        Assert.Contains("give it a bucket or a prefix of its own", shared.Output + shared.Error, StringComparison.Ordinal);
        Assert.Empty(tombstones);
        Assert.Equal(1, erased.ExitCode);
        Assert.Contains("its object is not this database's: it is of another ledger", erased.Output, StringComparison.Ordinal);
        Assert.Equal(3, (await ObjectsAsync(archiver)).Count);
    }
}
