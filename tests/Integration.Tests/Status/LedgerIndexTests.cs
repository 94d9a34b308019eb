using Archiver.Core.Erasure;
using Archiver.Core.Ledger;
using Archiver.Core.Reading;
using Archiver.Core.Selection;
using Archiver.Testing;
using Npgsql;

namespace Archiver.Integration.Tests.Status;

/// <summary>
/// Each index of the ledger's largest table costs every session that is archived: it has to serve a query, and what names archives' parents
/// has to stay safe without foreign keys.
/// </summary>
public sealed class LedgerIndexTests(TestServers servers, FilledLedger ledger) : IClassFixture<FilledLedger>
{
    private static readonly Dictionary<string, Func<ArchiverFixture, RunContext, NpgsqlConnection, Task>> Users = new()
    {
        ["archives_pkey"] = (archiver, _, _) => ListAsync(archiver, new("main", null, null, null, null, 50, null)),
        ["archives_by_user"] = (archiver, _, _) => ListAsync(archiver, new("main", "u7", null, null, null, 500, null)),
        ["archives_by_external_id"] = (archiver, _, _) => ListAsync(archiver, new("main", null, null, null, null, 500, null, Id: "x4711")),
        ["archives_by_activity"] = (archiver, _, _) =>
            ListAsync(archiver, new("main", null, new(2020, 5, 1, 0, 0, 0, default), new(2020, 5, 3, 0, 0, 0, default), null, 500, null)),
        ["archives_by_session"] = (_, run, _) => new BatchSelector(run).NextAsync(100, Token),
        ["archives_by_run"] = (archiver, _, _) =>
            FindAsync(
                archiver,
                new()
                {
                    Source = "main",
                    Who = "test",
                    Run = Guid.Parse(FilledLedger.Run),
                }
            ),
        ["archives_by_object"] = (_, _, connection) =>
            EraseObject.FindAsync(connection, "main", ["8f14e45f-ceea-167a-5a36-dedd4bea2543"], Token),
        ["archives_parts"] = (archiver, _, _) =>
            FindNoPartsAsync(
                archiver,
                new()
                {
                    Source = "main",
                    Who = "test",
                    User = "u7",
                }
            ),
        ["archives_stored"] = (_, run, _) => DelayedDeleteSelector.CountForAsync(run, Token),
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Indexes => [.. Users.Keys];

    [Theory]
    [MemberData(nameof(Indexes))]
    public async Task Each_index_of_the_archives_serves_a_query(string index)
    {
        await using var archiver = await ledger.CopyAsync();
        await using var scope = await archiver.BeginAsync(new(archiver.Source, archiver.Policy), Token);
        await using (var connection = await archiver.Connections.OpenAsync(Token))
            await Users[index](archiver, scope.Context, connection);

        // A server process tells what it read when it ends, if not before.
        const string end =
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        await archiver.Database.ExecuteAsync(end, Token);
        await Eventually.TrueAsync(
            async () =>
                await archiver.Database.ScalarAsync<long>(
                    $"SELECT idx_scan FROM pg_stat_user_indexes WHERE schemaname = 'archiver' AND indexrelname = '{index}'",
                    Token
                ) > 0,
            Token
        );
    }

    [Fact]
    public async Task No_index_of_the_archives_is_without_such_a_query()
    {
        await using var database = await TestDatabase.CreateAsync(servers, Token);
        await using (var connection = await database.DataSource.OpenConnectionAsync(Token))
            await Migrator.MigrateAsync(connection, Token);

        var indexes = (
            await database.ScalarAsync<string>(
                "SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE "
                    + "schemaname = 'archiver' AND tablename = 'archives'",
                Token
            )
        )!.Split(' ');

        Assert.Equal(Users.Keys.Order(StringComparer.Ordinal), indexes);
    }

    private static async Task ListAsync(ArchiverFixture archiver, ArchiveFilter filter) =>
        Assert.NotEmpty(await new ArchiveList(archiver.Catalog).ReadAsync(filter, Token));

    private static async Task FindAsync(ArchiverFixture archiver, RestoreOptions options)
    {
        var finder = new CandidateFinder(archiver.Connections);
        await foreach (var page in finder.FindAsync(options, await finder.FormAsync(Token), CandidateKind.Sessions, Token))
            Assert.NotEmpty(page);
    }

    private static async Task FindNoPartsAsync(ArchiverFixture archiver, RestoreOptions options)
    {
        var finder = new CandidateFinder(archiver.Connections);
        await foreach (var page in finder.FindAsync(options, await finder.FormAsync(Token), CandidateKind.Parts, Token))
            Assert.Empty(page);
    }
}
