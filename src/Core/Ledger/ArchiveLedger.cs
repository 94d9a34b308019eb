using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>What a run writes about objects and archives. Methods that take a connection join the caller's transaction.</summary>
/// <param name="run">The run.</param>
/// <param name="location">Where its objects are, as <c>objects.location</c> has it.</param>
internal sealed class ArchiveLedger(RunContext run, string location)
{
    // The highest number and not how many: a conflict passes over numbers, and what a moved ledger forgot leaves gaps.
    private const string LastNumbers = """
        SELECT coalesce((
          SELECT max(CASE WHEN k.suffix = '.json.gz' THEN 1 ELSE substring(k.suffix FROM '^~([1-9][0-9]{0,6})\.json\.gz$')::int END)
          FROM archiver.objects AS o, LATERAL (SELECT substr(o.key, length(n.stem) + 1) AS suffix) AS k
          WHERE o.location = $1 AND (o.key = n.stem || '.json.gz' OR (o.key >= n.stem || '~' AND o.key < n.stem || chr(127)))), 0)
        FROM unnest($2) WITH ORDINALITY AS n (stem, position)
        ORDER BY n.position
        """;

    // Members come as one array per object; unnest() would flatten an array of arrays, so each travels as its text form.
    private const string InsertPending = """
        WITH added AS (
          INSERT INTO archiver.objects (location, key, attempt, source, run_id, layout, members, length, sha256)
          SELECT $1, n.key, n.attempt, $2, $3, $4, n.members::text[], n.length, n.sha256
          FROM unnest($5, $6, $7, $8, $9) AS n (key, attempt, members, length, sha256)
          RETURNING id, key
        )
        SELECT a.id FROM unnest($5) WITH ORDINALITY AS n (key, position) JOIN added AS a ON a.key = n.key ORDER BY n.position
        """;

    private const string RenamePending = "UPDATE archiver.objects SET key = $2 WHERE id = $1 AND state = 'pending'";

    // Plain, never ON CONFLICT: a session archived twice must be an error, not a silent nothing (docs/protocol.md rule 13). Objects and run are found and
    // locked once, not once a row as by foreign keys: an archive without its object is a row less than was to be written, one without its run has no run_id.
    private const string InsertArchives = """
        WITH parents AS MATERIALIZED (
          SELECT o.id FROM archiver.objects AS o WHERE o.id = ANY (ARRAY(SELECT DISTINCT n.id FROM unnest($14) AS n (id))) FOR KEY SHARE
        )
        INSERT INTO archiver.archives (
          source, run_id, policy, exported_at, session_id, external_id, generation, state, user_id, session_created_at, session_last_activity,
          message_count, row_count, object_id, byte_offset, byte_length, json_length, json_sha256, fingerprints, keep, reason, mark, archived_at, ended_at, user_column,
          session_first_activity, part)
        SELECT $1, (SELECT r.id FROM archiver.runs AS r WHERE r.id = $2 FOR KEY SHARE), $3, $4::timestamptz, n.session_id, n.external_id, n.generation, n.state, n.user_id,
               n.created, n.last_activity, n.messages, n.rows, n.object_id, n.byte_offset, n.byte_length, n.json_length, n.json_sha256, n.fingerprints::jsonb, n.keep::jsonb, n.reason,
               n.mark::jsonb, CASE n.state WHEN 'archived' THEN clock_timestamp() END, CASE n.state WHEN 'abandoned' THEN clock_timestamp() END, $24,
               coalesce(n.first_activity, n.created), $25
        FROM unnest($5, $6, $7, $8, $9, $10::timestamptz[], $11::timestamptz[], $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23::timestamptz[]) AS n (
          session_id, external_id, generation, state, user_id, created, last_activity, messages, rows, object_id, byte_offset, byte_length,
          json_length, json_sha256, fingerprints, keep, reason, mark, first_activity)
        JOIN parents AS p ON p.id = n.object_id
        """;

    // A bundle may get its members in two transactions, so stored may become stored again; anything else means that somebody settled it.
    private const string MarkStored = """
        UPDATE archiver.objects AS o
        SET state = 'stored', version_id = n.version_id, stored_at = coalesce(o.stored_at, clock_timestamp())
        FROM unnest($1, $2) AS n (id, version_id)
        WHERE o.id = n.id AND o.state IN ('pending', 'stored')
        """;

    private const string MarkAbandoned = """
        UPDATE archiver.objects AS o
        SET state = 'abandoned', version_id = n.version_id, reason = n.reason, ended_at = clock_timestamp()
        FROM unnest($1, $2, $3) AS n (id, version_id, reason)
        WHERE o.id = n.id AND o.state = 'pending'
        """;

    // The object too: one that is being discarded or erased would take the only copy with it.
    private const string ArchiveStored = """
        UPDATE archiver.archives AS a
        SET state = 'archived', archived_at = clock_timestamp()
        FROM archiver.objects AS o
        WHERE a.id = ANY ($1) AND a.state = 'stored' AND o.id = a.object_id AND o.state = 'stored' AND o.removal_began_at IS NULL
        """;

    private const string AnyArchived = "SELECT count(*) FROM archiver.archives AS a WHERE a.id = ANY ($1) AND a.state = 'archived'";

    private const string Known = "SELECT count(*) FROM archiver.archives AS a WHERE a.run_id = $1 AND a.session_id = ANY ($2)";

    /// <summary>For each stem of a session's keys, the highest number of an object that the ledger knows under it; 1 is the plain key, 0 none.</summary>
    public async Task<IReadOnlyList<int>> LastNumbersAsync(IReadOnlyList<string> stems, CancellationToken cancellationToken)
    {
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        return await connection.QueryAsync(
            LastNumbers, row => row.GetInt32(0), cancellationToken, PgParameter.Text(location), PgParameter.Texts(stems));
    }

    /// <summary>Records objects before their upload, in a short transaction of its own; returns their ids in order.</summary>
    public async Task<IReadOnlyList<long>> RecordPendingAsync(IReadOnlyList<PendingObject> objects, CancellationToken cancellationToken)
    {
        if (objects.Count == 0)
            return [];
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        return await connection.QueryAsync(
            InsertPending, row => row.GetInt64(0), cancellationToken,
            PgParameter.Text(location), PgParameter.Text(run.Source.Name), PgParameter.Uuid(run.Id), PgParameter.Text(objects[0].Layout),
            PgParameter.Texts(objects.Select(o => o.Key)), PgParameter.Texts(objects.Select(o => o.Attempt)),
            PgParameter.Texts(objects.Select(o => PgArray.Literal(o.Members))),
            PgParameter.Bigints(objects.Select(o => o.Length)), PgParameter.BytesArray(objects.Select(o => o.Sha256)));
    }

    /// <summary>Gives a pending object another key before anything was stored under the old one.</summary>
    public async Task RenamePendingAsync(long id, string key, CancellationToken cancellationToken)
    {
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        var renamed = await connection.ExecuteAsync(RenamePending, cancellationToken, PgParameter.Bigint(id), PgParameter.Text(key));
        Require(renamed, 1);
    }

    /// <summary>Writes archives; part of the transaction that deletes their rows.</summary>
    public async Task InsertArchivesAsync(
        NpgsqlConnection connection, string exportedAt, IReadOnlyList<ArchiveRecord> archives, CancellationToken cancellationToken)
    {
        if (archives.Count == 0)
            return;
        var inserted = await connection.ExecuteAsync(
            InsertArchives, cancellationToken,
            PgParameter.Text(run.Source.Name), PgParameter.Uuid(run.Id), PgParameter.Text(run.Policy.Name), PgParameter.Text(exportedAt),
            PgParameter.Texts(archives.Select(a => a.SessionId)), PgParameter.Texts(archives.Select(a => a.ExternalId)),
            PgParameter.Ints(archives.Select(a => a.Generation)), PgParameter.Texts(archives.Select(a => a.State)),
            PgParameter.Texts(archives.Select(a => a.User)), PgParameter.Texts(archives.Select(a => a.Created)),
            PgParameter.Texts(archives.Select(a => a.LastActivity)), PgParameter.Bigints(archives.Select(a => a.Messages)),
            PgParameter.Bigints(archives.Select(a => a.Rows)), PgParameter.Bigints(archives.Select(a => a.ObjectId)),
            PgParameter.Bigints(archives.Select(a => a.Offset)), PgParameter.Bigints(archives.Select(a => a.Length)),
            PgParameter.Bigints(archives.Select(a => a.JsonLength)), PgParameter.BytesArray(archives.Select(a => a.JsonSha256)),
            PgParameter.Texts(archives.Select(a => a.Fingerprints)), PgParameter.Texts(archives.Select(a => a.Keep)),
            PgParameter.Texts(archives.Select(a => a.Reason)), PgParameter.Texts(archives.Select(a => a.Mark)),
            PgParameter.Texts(archives.Select(a => a.FirstActivity == a.Created ? null : a.FirstActivity)), PgParameter.Text(run.Source.Map.Session.User), PgParameter.Bool(archives.Any(a => a.IsPart)));
        Require(inserted, archives.Count);
    }

    /// <summary>Stored sessions whose rows are deleted by this transaction.</summary>
    public static async Task ArchiveStoredAsync(NpgsqlConnection connection, IReadOnlyList<long> archives, CancellationToken cancellationToken) =>
        Require(await connection.ExecuteAsync(ArchiveStored, cancellationToken, PgParameter.Bigints(archives)), archives.Count);

    /// <summary>Whether any of these archives, which were stored, has been archived.</summary>
    public static async Task<bool> AnyArchivedAsync(NpgsqlConnection connection, IEnumerable<long> archives, CancellationToken cancellationToken) =>
        await connection.ScalarAsync<long>(AnyArchived, cancellationToken, PgParameter.Bigints(archives)) > 0;

    /// <summary>Objects that hold at least one session that is now archived or stored.</summary>
    public static async Task MarkStoredAsync(
        NpgsqlConnection connection, IReadOnlyDictionary<long, string?> versions, CancellationToken cancellationToken) =>
        Require(await connection.ExecuteAsync(
            MarkStored, cancellationToken, PgParameter.Bigints(versions.Keys), PgParameter.Texts(versions.Values)), versions.Count);

    /// <summary>Objects that no session needs; they stay in the store until reconcile may remove them.</summary>
    public static async Task MarkAbandonedAsync(
        NpgsqlConnection connection, IReadOnlyList<(long Id, string? VersionId, string Reason)> objects, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(
            MarkAbandoned, cancellationToken, PgParameter.Bigints(objects.Select(o => o.Id)),
            PgParameter.Texts(objects.Select(o => o.VersionId)), PgParameter.Texts(objects.Select(o => o.Reason)));

    /// <summary>Adds to the run's counts, in the transaction that did it.</summary>
    public Task CountAsync(NpgsqlConnection connection, RunCounts counts, CancellationToken cancellationToken) =>
        RunJournal.CountAsync(connection, run.Id, counts, cancellationToken);

    /// <summary>Whether this run has committed archives of any of these sessions.</summary>
    public async Task<bool> KnowsAsync(NpgsqlConnection connection, IEnumerable<string> keys, CancellationToken cancellationToken) =>
        await connection.ScalarAsync<long>(Known, cancellationToken, PgParameter.Uuid(run.Id), PgParameter.Texts(keys)) > 0;

    private static void Require(int changed, int expected)
    {
        if (changed != expected)
            throw new ArchiverException(FailureKind.Failed,
                $"The ledger changed {Counted.Of(changed, "row")} where {expected} {(expected == 1 ? "was" : "were")} due: another program works on it. The transaction was rolled back and nothing was deleted.");
    }
}
