using Archiver.Testing;
using static Archiver.Worker.Tests.PartTables;

namespace Archiver.Worker.Tests;

/// <summary>Parts whose session was wholly archived later, and does not come back with them: no older row takes its place.</summary>
public sealed class PartAloneTests(TestServers servers)
{
    private const string Waits = "the archive of the session itself was not restored";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // The run that made the part did not make the session's archive.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_selection_without_the_sessions_own_archive_leaves_its_parts_and_says_so(bool elsewhere)
    {
        var (archiver, rows) = await TwoPartsAndTheRestAsync(servers);
        await using var owned = archiver;
        await using var other = await TestDatabase.CreateAsync(servers, Token);
        await other.ExecuteAsync(Channels.Tables + $"TRUNCATE {string.Join(", ", Tables)}", Token);
        var run = await archiver.Database.ScalarAsync<string>("SELECT run_id::text FROM archiver.archives WHERE generation = 1", Token);

        var result = await archiver.RunAsync(["restore", "--run", run!, .. elsewhere ? ["--to", other.ConnectionString] : (string[])[]]);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(Waits, result.Output, StringComparison.Ordinal);
        foreach (var database in new[] { archiver.Database, other })
            Assert.Equal(
                0,
                await database.ScalarAsync<long>("SELECT (SELECT count(*) FROM channels) + (SELECT count(*) FROM posts)", Token)
            );
        Assert.Equal("1 part archived, 2 part archived, 3 archived", await StatesAsync(archiver));
        await archiver.DoAsync("restore", "1");
        Assert.Equal(rows, await archiver.AllRowsAsync());
    }

    [Theory]
    [InlineData("lost")]
    [InlineData("refused")]
    [InlineData("without a ledger")]
    public async Task Parts_wait_for_a_session_whose_own_archive_cannot_come_back_and_come_alone_to_whoever_names_them(string why)
    {
        var (archiver, _) = await TwoPartsAndTheRestAsync(servers);
        await using var owned = archiver;
        if (why == "lost")
        {
            var key = await archiver.Database.ScalarAsync<string>(
                "SELECT o.key FROM archiver.objects AS o JOIN archiver.archives AS a ON a.object_id = o.id WHERE NOT a.part",
                Token
            );
            await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, key, Token);
        }
        else
        {
            await archiver.Database.ExecuteAsync("ALTER TABLE members ADD CONSTRAINT no_member_1 CHECK (name <> 'member 1')", Token);
        }
        if (why == "without a ledger")
            await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE", Token);

        foreach (var mode in new string[][] { ["--dry-run"], [] })
        {
            var result = await archiver.RunAsync(["restore", "1", .. mode]);
            Assert.Equal(1, result.ExitCode);
            Assert.Contains(Waits, result.Output, StringComparison.Ordinal);
            Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM channels", Token));
        }

        if (why == "without a ledger")
            return;
        await archiver.DoAsync("restore", "1", "--generation", "1");
        Assert.Equal("5 6 7 8 9 10 11", await archiver.PostsAsync(1));
    }
}
