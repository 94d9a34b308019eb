using Archiver.Core.Ledger;
using Archiver.Core.Postgres;

namespace Archiver.Testing.Proof;

/// <summary>
/// Says from outside of the worker, by plain SQL and by reading objects from the bucket, whether every committed row version is live, or in
/// an object that the ledger points to, or was changed by a user. It may be asked at any instant, also while writers and workers run.
/// </summary>
public sealed class Oracle
{
    private const int Examples = 3;

    private readonly TestDatabase _database;
    private StoredDocuments _documents;
    private TestBucket _bucket;
    private readonly IReadOnlyList<ShadowTable> _tables;

    private Oracle(TestDatabase database, TestBucket bucket, IReadOnlyList<ShadowTable> tables) =>
        (_database, _bucket, _tables, _documents) = (database, bucket, tables, new StoredDocuments(bucket, tables));

    /// <summary>Creates the ledger and begins to watch the tables, by default those of the preset <c>ended-at</c>.</summary>
    public static async Task<Oracle> AttachAsync(
        TestDatabase database,
        TestBucket bucket,
        CancellationToken cancellationToken,
        IReadOnlyList<ShadowTable>? tables = null
    )
    {
        tables ??= ShadowTable.EndedAt;
        await using (var connection = await database.DataSource.OpenConnectionAsync(cancellationToken))
        {
            await Migrator.MigrateAsync(connection, cancellationToken);
        }
        await database.ExecuteAsync(ShadowSchema.Create, cancellationToken);
        foreach (var table in tables)
            await database.ExecuteAsync(ShadowSchema.Watch(table), cancellationToken);
        return new(database, bucket, tables);
    }

    /// <summary>The objects are in another bucket from now on.</summary>
    public void MoveTo(TestBucket bucket) => (_bucket, _documents) = (bucket, new StoredDocuments(bucket, _tables));

    /// <summary>Every violation in one sentence each; empty when nothing is lost, stale or double.</summary>
    /// <param name="atRest">Nothing runs and the last run ended by itself, so that also nothing may be left over.</param>
    /// <param name="cancellationToken">Gives up the check.</param>
    public async Task<IReadOnlyList<string>> ViolationsAsync(bool atRest, CancellationToken cancellationToken)
    {
        List<string> violations = [];
        // Listed before the ledger is read: a row always comes before its object.
        var keys = await _bucket.ListKeysAsync(cancellationToken: cancellationToken);
        await using var connection = await _database.DataSource.OpenConnectionAsync(cancellationToken);
        await using (
            var settings = connection.Command(
                "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; "
                    + "SET extra_float_digits = 1; SET bytea_output = 'hex'; SET jit = off"
            )
        )
            await settings.ExecuteNonQueryAsync(cancellationToken);
        // One snapshot for all: shadow, tables and ledger change together or not at all.
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        violations.AddRange(await _documents.LoadAsync(connection, cancellationToken));
        await connection.ExecuteAsync(OracleRules.Last, cancellationToken);
        foreach (var (rule, sql) in Rules(atRest))
            Add(rule, await connection.QueryAsync(sql, row => row.GetString(0), cancellationToken));
        var known = (
            await connection.QueryAsync("SELECT o.key FROM archiver.objects AS o", row => row.GetString(0), cancellationToken)
        ).ToHashSet(StringComparer.Ordinal);
        Add(
            "an object in the bucket is not in the ledger",
            [.. keys.Where(k => !k.Contains("/.archiver/", StringComparison.Ordinal) && !known.Contains(k))]
        );
        Add(
            "archived or stored, and its object is not in the bucket",
            await _documents.MissingAsync(connection, keys.ToHashSet(StringComparer.Ordinal), cancellationToken)
        );
        if (atRest)
            Add("discarded or erased, and its object is in the bucket", await _documents.LeftAsync(connection, cancellationToken));
        await transaction.CommitAsync(cancellationToken);
        return violations;

        void Add(string rule, List<string> found)
        {
            if (found.Count > 0)
                violations.Add($"{rule}: {found.Count}, such as {string.Join("; ", found.Take(Examples))}");
        }
    }

    private IEnumerable<(string Rule, string Sql)> Rules(bool atRest) =>
        [
            .. OracleRules.Always.Concat(LifecycleRules.Always).Concat(atRest ? OracleRules.AtRest : []).Select(r => (r.Key, r.Value)),
            .. _tables.Select(OracleRules.Live),
            .. _tables.Where(t => t.Session is not null).Select(LifecycleRules.Stored),
        ];

    /// <summary>What has happened so far, for the reader of a long proof.</summary>
    public async Task<OracleCounts> CountAsync(CancellationToken cancellationToken) =>
        new(
            await CountAsync("SELECT count(*) FROM shadow.versions", cancellationToken),
            await CountAsync("SELECT count(*) FROM shadow.versions WHERE op = 'D' AND starts_with(who, 'archiver')", cancellationToken),
            await CountAsync("SELECT count(*) FROM shadow.versions WHERE op = 'I' AND starts_with(who, 'archiver')", cancellationToken),
            await CountAsync("SELECT count(*) FROM archiver.archives WHERE state = 'archived'", cancellationToken),
            await CountAsync("SELECT count(*) FROM archiver.archives WHERE state = 'abandoned'", cancellationToken),
            await CountAsync("SELECT count(*) FROM archiver.runs", cancellationToken),
            await CountAsync("SELECT count(*) FROM archiver.holds", cancellationToken),
            await CountAsync("SELECT count(*) FROM shadow.held", cancellationToken)
        );

    private Task<long> CountAsync(string sql, CancellationToken cancellationToken) => _database.ScalarAsync<long>(sql, cancellationToken);
}

/// <summary>Figures of a proof.</summary>
public sealed record OracleCounts(
    long Versions,
    long RowsArchived,
    long RowsRestored,
    long SessionsArchived,
    long CopiesAbandoned,
    long Runs,
    long Holds,
    long HeldTouched
);
