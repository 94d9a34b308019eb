namespace Archiver.Core.Reconciliation;

/// <summary>The SQL of <see cref="FoundRecords"/>.</summary>
internal static class FoundStatements
{
    public const string CreateTables = """
        CREATE TEMPORARY TABLE archiver_found_objects (
          key text COLLATE "C" PRIMARY KEY, version_id text, attempt text, layout text, members text[], length bigint, sha256 bytea,
            run_id uuid, policy text, exported_at timestamptz);
        CREATE TEMPORARY TABLE archiver_found_documents (
          key text COLLATE "C", session_id text COLLATE "C", external_id text, generation int, user_id text, created text, activity text[],
            times text[], messages bigint, rows bigint,
          byte_offset bigint, byte_length bigint, json_length bigint, json_sha256 bytea, run_id uuid, policy text, exported_at timestamptz,
            part boolean, rows_sha256 bytea);
        CREATE TEMPORARY TABLE archiver_confirmed (session_id text COLLATE "C", generation int, json_sha256 text);
        """;

    public const string AddObjects = """
        INSERT INTO pg_temp.archiver_found_objects
        SELECT n.key, n.version_id, n.attempt, n.layout, n.members::text[], n.length, n.sha256, n.run_id::uuid, n.policy,
          n.exported_at::timestamptz
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS n (key, version_id, attempt, layout, members, length, sha256, run_id,
          policy, exported_at)
        """;

    public const string AddDocuments = """
        INSERT INTO pg_temp.archiver_found_documents
        SELECT n.key, n.session_id, n.external_id, n.generation, n.user_id, n.created, n.activity::text[], n.times::text[], n.messages,
          n.rows,
               n.byte_offset, n.byte_length, n.json_length, n.json_sha256, n.run_id::uuid, n.policy, n.exported_at::timestamptz, n.part,
               n.rows_sha256
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) AS n (
          key, session_id, external_id, generation, user_id, created, activity, times, messages, rows, byte_offset, byte_length,
            json_length, json_sha256, run_id, policy, exported_at, part, rows_sha256)
        """;

    public const string AddConfirmed = """
        INSERT INTO pg_temp.archiver_confirmed SELECT n.session_id, n.generation, n.json_sha256
          FROM unnest($1, $2, $3) AS n (session_id, generation, json_sha256)
        """;

    public const string InsertRuns = """
        INSERT INTO archiver.runs (id, source, policy, action, state, worker, started_at, ended_at, error)
        SELECT o.run_id, $1, min(o.policy), 'archive', 'interrupted', 'unknown', min(o.exported_at), max(o.exported_at),
          'rebuilt from the bucket'
        FROM pg_temp.archiver_found_objects AS o
        GROUP BY o.run_id
        ON CONFLICT (id) DO NOTHING
        """;

    public const string InsertObjects = """
        INSERT INTO archiver.objects (location, key, version_id, attempt, source, run_id, layout, state, members, length, sha256, reason,
          created_at, stored_at)
        SELECT $2, o.key, o.version_id, o.attempt, $1, o.run_id, o.layout, 'stored', o.members, o.length, o.sha256,
          'rebuilt from the bucket', o.exported_at, o.exported_at
        FROM pg_temp.archiver_found_objects AS o
        ON CONFLICT (location, key) DO NOTHING
        """;

    // Two objects may claim one generation, when a crash left one behind, the database was restored to an earlier time, or the ledger was
    // lost and counted from one again. Of those with the same rows one is the archive: the confirmed one, of several the one whose rows
    // were read last. In which order they were found here says nothing. Of those with other rows this one keeps the number. Another that
    // a manifest confirms is an archive, too, because its rows were deleted, and so is a part, whose messages nothing else holds: they get
    // the next free numbers.
    public const string InsertArchives = """
        WITH claims AS (
          SELECT DISTINCT ON (d.session_id, d.generation, d.rows_sha256) d.*, o.id AS object_id, c.session_id IS NOT NULL AS confirmed
          FROM pg_temp.archiver_found_documents AS d
          JOIN archiver.objects AS o ON o.location = $2 AND o.key = d.key AND o.state = 'stored'
          LEFT JOIN pg_temp.archiver_confirmed AS c
            ON c.session_id = d.session_id AND c.generation = d.generation AND c.json_sha256 = encode(d.json_sha256, 'hex')
          ORDER BY d.session_id, d.generation, d.rows_sha256, (c.session_id IS NULL), d.exported_at DESC, d.key
        ), ranked AS (
          SELECT c.*,
                 row_number() OVER (PARTITION BY c.session_id, c.generation ORDER BY c.confirmed DESC, c.exported_at DESC, c.key) = 1
                   AND NOT EXISTS (SELECT FROM archiver.archives AS a WHERE a.source = $1 AND a.session_id = c.session_id
                     AND a.generation = c.generation) AS keeps
          FROM claims AS c
        ), numbered AS (
          SELECT r.*,
                 CASE WHEN r.keeps THEN r.generation
                      ELSE greatest(max(r.generation) OVER (PARTITION BY r.session_id), (SELECT max(a.generation)
                             FROM archiver.archives AS a WHERE a.source = $1 AND a.session_id = r.session_id))
                           + row_number() OVER (PARTITION BY r.session_id, r.keeps ORDER BY r.exported_at, r.key) END AS number
          FROM ranked AS r
          WHERE r.keeps OR r.confirmed OR r.part
        )
        INSERT INTO archiver.archives (
          source, run_id, policy, exported_at, stored_at, session_id, external_id, generation, state, user_id, session_created_at,
            session_first_activity, session_last_activity,
          message_count, row_count, object_id, byte_offset, byte_length, json_length, json_sha256, fingerprints, reason, part)
        SELECT $1, d.run_id, d.policy, d.exported_at, d.exported_at, d.session_id, d.external_id, d.number, 'unknown', d.user_id,
                 d.created::timestamptz,
               CASE WHEN coalesce(d.created, d.activity[1]) IS NOT NULL THEN least(
                 coalesce(d.created::timestamptz, (SELECT min(a.value::timestamptz)
                   FROM unnest(d.activity) AS a (value))), (SELECT min(t.value::timestamptz) FROM unnest(d.times) AS t (value))) END,
               CASE WHEN d.activity <> '{}' THEN (SELECT max(a.value::timestamptz) FROM unnest(d.activity || d.times) AS a (value)) END,
               d.messages, d.rows, d.object_id, d.byte_offset, d.byte_length, d.json_length, d.json_sha256, '{}',
               CASE WHEN d.confirmed THEN $3 ELSE $4 END, d.part
        FROM numbered AS d
        """;

    public const string AbandonUnnamed = """
        UPDATE archiver.objects AS o
        SET state = 'abandoned', reason = 'rebuilt from the bucket; another object has the same rows or generation, or it was erased',
          ended_at = clock_timestamp()
        FROM pg_temp.archiver_found_objects AS f
        WHERE o.location = $1 AND o.key = f.key AND o.state = 'stored'
          AND NOT EXISTS (SELECT FROM archiver.archives AS a WHERE a.object_id = o.id)
        """;
}
