using Archiver.Core.Diagnostics;
using Archiver.Core.Erasure;
using Archiver.Core.Ledger;
using Archiver.Core.Reading;
using Archiver.Core.Selection;
using Archiver.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Archiver.Integration.Tests.Status;

/// <summary>
/// Each index of the ledger's largest table costs every session that is archived: it has to serve a query, and what names archives' parents
/// has to stay safe without foreign keys.
/// </summary>
public sealed class LedgerIndexTests(TestServers servers)
{
    private const string Run = "01932234-0000-7000-8000-000000000007";

    private const string Fill = """
        INSERT INTO archiver.runs (id, source, policy, action, worker, state)
        SELECT ('01932234-0000-7000-8000-' || lpad(r::text, 12, '0'))::uuid, 'main', 'idle', 'archive', 'test', 'done'
          FROM generate_series(0, 39) AS r;
        INSERT INTO archiver.objects (location, key, attempt, source, run_id, layout, state, members, length, sha256)
        SELECT 's3://test', 'o' || n, 'a', 'main', ('01932234-0000-7000-8000-' || lpad((n / 5)::text, 12, '0'))::uuid, 'bundle', 'stored',
          '{}', 1, '' FROM generate_series(0, 199) AS n;
        INSERT INTO archiver.archives (source, run_id, policy, exported_at, session_id, external_id, generation, state, user_id,
          session_created_at, session_last_activity, message_count, row_count,
                                       object_id, byte_offset, byte_length, json_length, json_sha256, fingerprints)
        SELECT 'main', o.run_id, 'idle', now(), md5(n::text)::uuid, 'x' || n, 1, CASE WHEN n % 1000 = 0 THEN 'stored'
          ELSE 'archived' END, 'u' || n % 700, at, at, 1, 2, o.id, n, 1, 1, '', '{}'
        FROM generate_series(0, 19999) AS n JOIN archiver.objects AS o
          ON o.key = 'o' || n / 100, LATERAL (SELECT timestamptz '2020-01-01' + n * interval '1 hour') AS t (at) ORDER BY n;
        """;

    private static readonly Dictionary<string, Func<ArchiverFixture, RunContext, NpgsqlConnection, Task>> Users = new()
    {
        ["archives_pkey"] = (archiver, _, _) => ListAsync(archiver, new("main", null, null, null, null, 50, null)),
        ["archives_by_user"] = (archiver, _, _) => ListAsync(archiver, new("main", "u7", null, null, null, 500, null)),
        ["archives_by_external_id"] = (archiver, _, _) => ListAsync(archiver, new("main", null, null, null, null, 500, null, Id: "x4711")),
        ["archives_by_activity"] = (archiver, _, _) =>
            ListAsync(archiver, new("main", null, new(2020, 5, 1, 0, 0, 0, default), new(2020, 5, 3, 0, 0, 0, default), null, 500, null)),
        ["archives_by_session"] = (_, run, _) => new BatchSelector(run).NextAsync(100, Token),
        ["archives_by_run"] = (archiver, _, _) => FindAsync(archiver, new() { Source = "main", Run = Guid.Parse(Run) }),
        ["archives_by_object"] = (_, _, connection) =>
            EraseObject.FindAsync(connection, "main", ["8f14e45f-ceea-167a-5a36-dedd4bea2543"], Token),
        ["archives_parts"] = (archiver, _, _) => FindNoPartsAsync(archiver, new() { Source = "main", User = "u7" }),
        ["archives_stored"] = (_, run, _) => DelayedDeleteSelector.CountForAsync(run, Token),
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Indexes => [.. Users.Keys];

    [Theory]
    [MemberData(nameof(Indexes))]
    public async Task Each_index_of_the_archives_serves_a_query(string index)
    {
        await using var archiver = await FilledAsync();
        await using var scope = (
            await RunScope.BeginAsync(
                new(archiver.Source, archiver.Policy),
                archiver.Settings,
                archiver.Connections,
                TimeProvider.System,
                NullLogger.Instance,
                Token
            )
        )!;
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
        await using var database = await TestDatabase.CreateAsync(servers.PostgresConnectionString, Token);
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

    /// <summary>What foreign keys did, without asking for the parent of each row.</summary>
    [Theory]
    [InlineData("DELETE FROM archiver.objects WHERE key = 'o7'")]
    [InlineData("DELETE FROM archiver.runs WHERE id = '" + Run + "'")]
    [InlineData("TRUNCATE archiver.objects")]
    [InlineData("TRUNCATE archiver.runs CASCADE")]
    public async Task Nobody_removes_what_archives_name(string sql)
    {
        await using var archiver = await FilledAsync();
        await archiver.Database.ExecuteAsync("ALTER TABLE archiver.objects DROP CONSTRAINT objects_run_id_fkey", Token);

        var error = await Assert.ThrowsAsync<PostgresException>(() => archiver.Database.ExecuteAsync(sql, Token));

        Assert.Equal(PostgresErrorCodes.ForeignKeyViolation, error.SqlState);
        await archiver.Database.ExecuteAsync($"DELETE FROM archiver.archives; {sql}", Token);
    }

    [Theory]
    [InlineData(1_000_000, false)]
    [InlineData(null, true)]
    public async Task No_archive_is_written_without_its_object_and_its_run(int? missing, bool runIsGone)
    {
        await using var archiver = await FilledAsync();
        await using var scope = (
            await RunScope.BeginAsync(
                new(archiver.Source, archiver.Policy),
                archiver.Settings,
                archiver.Connections,
                TimeProvider.System,
                NullLogger.Instance,
                Token
            )
        )!;
        var there = await archiver.Database.ScalarAsync<long>("SELECT min(id) FROM archiver.objects", Token);
        if (runIsGone)
            await archiver.Database.ExecuteAsync($"DELETE FROM archiver.runs WHERE id = '{scope.Context.Id}'", Token);
        await using var connection = await archiver.Connections.OpenAsync(Token);

        var error = await Assert.ThrowsAnyAsync<Exception>(() =>
            new ArchiveLedger(scope.Context, "s3://test").InsertArchivesAsync(
                connection,
                "2026-01-01T00:00:00Z",
                [Record("one", there), Record("two", missing ?? there)],
                Token
            )
        );

        Assert.True(
            error is ArchiverException || (error is PostgresException { SqlState: PostgresErrorCodes.NotNullViolation } && runIsGone),
            error.ToString()
        );
    }

    private static ArchiveRecord Record(string session, long objectId) =>
        new()
        {
            SessionId = session,
            ExternalId = null,
            Generation = 1,
            State = "archived",
            User = null,
            Created = "2020-01-01 00:00:00+00",
            FirstActivity = "2020-01-01 00:00:00+00",
            LastActivity = null,
            Messages = 1,
            Rows = 2,
            ObjectId = objectId,
            Offset = 0,
            Length = 1,
            JsonLength = 1,
            JsonSha256 = [1],
            Fingerprints = "{}",
            Keep = null,
        };

    private static async Task ListAsync(ArchiverFixture archiver, ArchiveFilter filter) =>
        Assert.NotEmpty(await new ArchiveList(archiver.Catalog).ReadAsync(filter, Token));

    private static async Task FindAsync(ArchiverFixture archiver, RestoreOptions options)
    {
        var finder = new CandidateFinder(archiver.Connections);
        await foreach (var page in finder.FindAsync(options, await finder.FormAsync(Token), parts: false, Token))
            Assert.NotEmpty(page);
    }

    private static async Task FindNoPartsAsync(ArchiverFixture archiver, RestoreOptions options)
    {
        var finder = new CandidateFinder(archiver.Connections);
        await foreach (var page in finder.FindAsync(options, await finder.FormAsync(Token), parts: true, Token))
            Assert.Empty(page);
    }

    private async Task<ArchiverFixture> FilledAsync()
    {
        var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 20, young: 1, messages: 1);
        await archiver.Database.ExecuteAsync(Fill, Token);
        // Ranges of pages are summarized by vacuum.
        await archiver.Database.ExecuteAsync("VACUUM (ANALYZE) archiver.archives, archiver.objects, archiver.runs", Token);
        return archiver;
    }
}
