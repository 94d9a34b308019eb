namespace Archiver.Core.Ledger;

/// <summary>The SQL of <see cref="ArchiveLedger"/>.</summary>
internal static class ArchiveStatements
{
    // The highest number and not how many: a conflict passes over numbers, and what a moved ledger forgot leaves gaps.
    public const string LastNumbers = """
        SELECT coalesce((
          SELECT max(CASE WHEN k.suffix = '.json.gz' THEN 1 ELSE substring(k.suffix FROM '^~([1-9][0-9]{0,6})[.]json[.]gz$')::int END)
          FROM archiver.objects AS o, LATERAL (SELECT substr(o.key, length(n.stem) + 1) AS suffix) AS k
          WHERE o.location = $1 AND (o.key = n.stem || '.json.gz' OR (o.key >= n.stem || '~' AND o.key < n.stem || chr(127)))), 0)
        FROM unnest($2) WITH ORDINALITY AS n (stem, position)
        ORDER BY n.position
        """;

    // Members come as one array per object; unnest() would flatten an array of arrays, so each travels as its text form.
    public const string InsertPending = """
        WITH added AS (
          INSERT INTO archiver.objects (location, key, attempt, source, run_id, layout, members, length, sha256)
          SELECT $1, n.key, n.attempt, $2, $3, $4, n.members::text[], n.length, n.sha256
          FROM unnest($5, $6, $7, $8, $9) AS n (key, attempt, members, length, sha256)
          RETURNING id, key
        )
        SELECT a.id FROM unnest($5) WITH ORDINALITY AS n (key, position) JOIN added AS a ON a.key = n.key ORDER BY n.position
        """;

    public const string RenamePending = "UPDATE archiver.objects SET key = $2 WHERE id = $1 AND state = 'pending'";

    // Plain, never ON CONFLICT: a session archived twice must be an error, not a silent nothing (docs/protocol.md rule 13). Objects and run
    // are found and locked once, not once a row as by foreign keys: an archive without its object is a row less than was to be written, one
    // without its run has no run_id.
    public const string InsertArchives = """
        WITH parents AS MATERIALIZED (
          SELECT o.id FROM archiver.objects AS o WHERE o.id = ANY (ARRAY(SELECT DISTINCT n.id FROM unnest($14) AS n (id))) FOR KEY SHARE
        )
        INSERT INTO archiver.archives (
          source, run_id, policy, exported_at, session_id, external_id, generation, state, user_id, session_created_at,
            session_last_activity,
          message_count, row_count, object_id, byte_offset, byte_length, json_length, json_sha256, fingerprints, keep, reason, mark,
            archived_at, ended_at, user_column,
          session_first_activity, part)
        SELECT $1, (SELECT r.id FROM archiver.runs AS r
          WHERE r.id = $2 FOR KEY SHARE), $3, $4::timestamptz, n.session_id, n.external_id, n.generation, n.state, n.user_id,
               n.created, n.last_activity, n.messages, n.rows, n.object_id, n.byte_offset, n.byte_length, n.json_length, n.json_sha256,
                 n.fingerprints::jsonb, n.keep::jsonb, n.reason,
               n.mark::jsonb, CASE n.state WHEN 'archived' THEN clock_timestamp() END, CASE n.state WHEN 'abandoned'
                 THEN clock_timestamp() END, $24,
               coalesce(n.first_activity, n.created), $25
        FROM unnest($5, $6, $7, $8, $9, $10::timestamptz[], $11::timestamptz[], $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
          $23::timestamptz[]) AS n (
          session_id, external_id, generation, state, user_id, created, last_activity, messages, rows, object_id, byte_offset, byte_length,
          json_length, json_sha256, fingerprints, keep, reason, mark, first_activity)
        JOIN parents AS p ON p.id = n.object_id
        """;

    // A bundle may get its members in two transactions, so stored may become stored again; anything else means that somebody settled it.
    public const string MarkStored = """
        UPDATE archiver.objects AS o
        SET state = 'stored', version_id = n.version_id, stored_at = coalesce(o.stored_at, clock_timestamp())
        FROM unnest($1, $2) AS n (id, version_id)
        WHERE o.id = n.id AND o.state IN ('pending', 'stored')
        """;

    public const string MarkAbandoned = """
        UPDATE archiver.objects AS o
        SET state = 'abandoned', version_id = n.version_id, reason = n.reason, ended_at = clock_timestamp()
        FROM unnest($1, $2, $3) AS n (id, version_id, reason)
        WHERE o.id = n.id AND o.state = 'pending'
        """;

    // The object too: one that is being discarded or erased would take the only copy with it.
    public const string ArchiveStored = """
        UPDATE archiver.archives AS a
        SET state = 'archived', archived_at = clock_timestamp()
        FROM archiver.objects AS o
        WHERE a.id = ANY ($1) AND a.state = 'stored' AND o.id = a.object_id AND o.state = 'stored' AND o.removal_began_at IS NULL
        """;

    public const string AnyArchived = "SELECT count(*) FROM archiver.archives AS a WHERE a.id = ANY ($1) AND a.state = 'archived'";

    // By the object, too, which only one batch has: the same session may have left an earlier batch of the run.
    public const string Known = """
        SELECT EXISTS (
          SELECT FROM unnest($1, $2) AS n (session_id, object_id)
          JOIN archiver.archives AS a ON a.session_id = n.session_id AND a.object_id = n.object_id AND a.run_id = $3)
        """;
}
