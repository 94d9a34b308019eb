using Archiver.Core.Ledger;
using Archiver.Core.Query;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>What lists and searches in one process after an optional column has come.</summary>
public sealed class OptionalPartReadTests(TestServers servers)
{
    private const string User = "ABCDEFAB-AAAA-4AAA-8AAA-AAAAAAAAAAA1";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // As Swift prints a uuid. Without the column nobody can know that it is the user whom the ledger has in small letters.
    [Fact]
    public async Task A_user_column_that_comes_while_the_worker_runs_counts_in_its_next_list_and_search()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 2, young: 0, preset: "status-expiry");
        await archiver.Database.ExecuteAsync("ALTER TABLE sessions DROP COLUMN user_id", Token);
        var list = new ArchiveList(archiver.Catalog);
        var filter = new ArchiveFilter("main", null, null, null, null, 10, null);
        Assert.Empty(await list.ReadAsync(filter, Token));
        await archiver.Database.ExecuteAsync($"ALTER TABLE sessions ADD COLUMN user_id uuid DEFAULT '{User}'", Token);
        Assert.Equal(2, (await archiver.RunAsync(Token)).Sessions);

        var listed = await list.ReadAsync(filter with { User = User }, Token);
        var searched = new ArchiveSelection(archiver.Settings, archiver.Catalog, archiver.Store);
        await searched.AddAsync(new QueryFilter("main") { User = User }, Token);

        Assert.All(listed, a => Assert.Equal("abcdefab-aaaa-4aaa-8aaa-aaaaaaaaaaa1", a.User));
        Assert.Equal((2, 2L), (listed.Count, searched.Estimate.Archives));
    }
}
