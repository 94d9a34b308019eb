using Archiver.Testing;
using static Archiver.Worker.Tests.PartTables;

namespace Archiver.Worker.Tests;

/// <summary>A ledger that was lost and begun anew counts from one again: archives of before have the same numbers and other rows.</summary>
public sealed class LostPartTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // The worker may be killed before it writes the manifest.
    [Theory]
    [InlineData("Session", true)]
    [InlineData("Bundle", true)]
    [InlineData("Session", false)]
    public async Task Two_parts_of_one_number_are_two_archives_and_both_come_back(string layout, bool manifests)
    {
        var (archiver, rows) = await TwoOfOneNumberAsync(layout, manifests);
        await using var owned = archiver;

        Assert.Equal("1 part archived, 2 part archived", await StatesAsync(archiver));
        Assert.Equal(0, (await archiver.RunAsync("reconcile")).ExitCode);
        await archiver.DoAsync("verify", "--all");
        await archiver.DoAsync("restore", "1", "2", "3");
        Assert.Equal(rows, await archiver.AllRowsAsync());
        // The next archive has the next number.
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = now() - interval '60 days'", Token);
        await archiver.DoAsync("archive");
        Assert.Equal("1 part restored, 2 part restored, 3 part archived", await StatesAsync(archiver));
    }

    // The ledger was of a time before users were mapped: the documents say whose the archives are.
    [Theory]
    [InlineData("Session")]
    [InlineData("Bundle")]
    public async Task An_erasure_of_a_user_finds_both(string layout)
    {
        var (archiver, _) = await TwoOfOneNumberAsync(layout, manifests: true);
        await using var owned = archiver;
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET user_id = NULL, user_column = NULL", Token);

        await archiver.DoAsync("erase", "--user", "owner 1", "--yes");

        Assert.Equal(
            "2 erased, 4 archived",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(n || ' ' || state, ', ' ORDER BY n) FROM (SELECT count(*) AS n, state FROM archiver.archives GROUP BY "
                    + "state) AS s",
                Token
            )
        );
        await archiver.DoAsync("restore", "2", "3");
        Assert.Equal("0 1 2 3 4 5 6 7 8 9 10 11", await archiver.PostsAsync(2));
    }

    /// <summary>Old posts as one part by a ledger that is lost then, more of them as another by the next; after a rebuild, twice.</summary>
    private async Task<(Installation Archiver, string Rows)> TwoOfOneNumberAsync(string layout, bool manifests)
    {
        var archiver = await Channels.CreateAsync(servers);
        archiver.With("Storage:Layout", layout);
        var rows = await archiver.AllRowsAsync();
        await archiver.DoAsync("archive");
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE", Token);
        await archiver.DoAsync("migrate");
        archiver.With($"{Channels.Policy}:MessagesOlderThan", "50d");
        await archiver.DoAsync("archive");
        Assert.Equal("0 1 2", await archiver.PostsAsync(1));
        var keys = await archiver.Bucket.ListKeysAsync(cancellationToken: Token);
        foreach (var key in keys.Where(k => !manifests && k.Contains("/.archiver/manifests/", StringComparison.Ordinal)))
            await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, key, Token);

        await archiver.DoAsync("ledger", "rebuild");
        await archiver.DoAsync("ledger", "rebuild");
        return (archiver, rows);
    }
}
