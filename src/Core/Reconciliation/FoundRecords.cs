using System.Globalization;
using Archiver.Core.Bucket;
using Archiver.Core.Documents;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Reconciliation;

/// <summary>
/// Collects what was found in the bucket in temporary tables and writes it to the ledger in one transaction: the ledger is rebuilt wholly or
/// not at all. Known objects are left as they are.
/// </summary>
internal sealed class FoundRecords(NpgsqlConnection connection, SourceSettings source, string location, TombstoneSet erased)
{
    /// <summary>Reasons by which rebuilt archives are recognised until they are settled.</summary>
    public const string Confirmed = "rebuilt from the bucket", Unconfirmed = "rebuilt from the bucket; no manifest confirms it";

    private const string CreateTables = """
        CREATE TEMPORARY TABLE archiver_found_objects (
          key text COLLATE "C" PRIMARY KEY, version_id text, attempt text, layout text, members text[], length bigint, sha256 bytea, run_id uuid, policy text, exported_at timestamptz);
        CREATE TEMPORARY TABLE archiver_found_documents (
          key text COLLATE "C", session_id text COLLATE "C", external_id text, generation int, user_id text, created text, activity text[], times text[], messages bigint, rows bigint,
          byte_offset bigint, byte_length bigint, json_length bigint, json_sha256 bytea, run_id uuid, policy text, exported_at timestamptz, part boolean);
        CREATE TEMPORARY TABLE archiver_confirmed (session_id text COLLATE "C", generation int, json_sha256 text);
        """;

    private const string AddObjects = """
        INSERT INTO pg_temp.archiver_found_objects
        SELECT n.key, n.version_id, n.attempt, n.layout, n.members::text[], n.length, n.sha256, n.run_id::uuid, n.policy, n.exported_at::timestamptz
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS n (key, version_id, attempt, layout, members, length, sha256, run_id, policy, exported_at)
        """;

    private const string AddDocuments = """
        INSERT INTO pg_temp.archiver_found_documents
        SELECT n.key, n.session_id, n.external_id, n.generation, n.user_id, n.created, n.activity::text[], n.times::text[], n.messages, n.rows,
               n.byte_offset, n.byte_length, n.json_length, n.json_sha256, n.run_id::uuid, n.policy, n.exported_at::timestamptz, n.part
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) AS n (
          key, session_id, external_id, generation, user_id, created, activity, times, messages, rows, byte_offset, byte_length, json_length, json_sha256, run_id, policy, exported_at, part)
        """;

    private const string AddConfirmed = """
        INSERT INTO pg_temp.archiver_confirmed SELECT n.session_id, n.generation, n.json_sha256 FROM unnest($1, $2, $3) AS n (session_id, generation, json_sha256)
        """;

    private const string InsertRuns = """
        INSERT INTO archiver.runs (id, source, policy, action, state, worker, started_at, ended_at, error)
        SELECT o.run_id, $1, min(o.policy), 'archive', 'interrupted', 'unknown', min(o.exported_at), max(o.exported_at), 'rebuilt from the bucket'
        FROM pg_temp.archiver_found_objects AS o
        GROUP BY o.run_id
        ON CONFLICT (id) DO NOTHING
        """;

    private const string InsertObjects = """
        INSERT INTO archiver.objects (location, key, version_id, attempt, source, run_id, layout, state, members, length, sha256, reason, created_at, stored_at)
        SELECT $2, o.key, o.version_id, o.attempt, $1, o.run_id, o.layout, 'stored', o.members, o.length, o.sha256, 'rebuilt from the bucket', o.exported_at, o.exported_at
        FROM pg_temp.archiver_found_objects AS o
        ON CONFLICT (location, key) DO NOTHING
        """;

    // Two objects may claim one generation, when a crash left one behind or the database was restored to an earlier time: the confirmed one is the
    // archive, of several the one whose rows were read last. In which order they were found here says nothing.
    private const string InsertArchives = """
        INSERT INTO archiver.archives (
          source, run_id, policy, exported_at, stored_at, session_id, external_id, generation, state, user_id, session_created_at, session_first_activity, session_last_activity,
          message_count, row_count, object_id, byte_offset, byte_length, json_length, json_sha256, fingerprints, reason, part)
        SELECT DISTINCT ON (d.session_id, d.generation)
               $1, d.run_id, d.policy, d.exported_at, d.exported_at, d.session_id, d.external_id, d.generation, 'unknown', d.user_id, d.created::timestamptz,
               CASE WHEN coalesce(d.created, d.activity[1]) IS NOT NULL THEN least(
                 coalesce(d.created::timestamptz, (SELECT min(a.value::timestamptz) FROM unnest(d.activity) AS a (value))), (SELECT min(t.value::timestamptz) FROM unnest(d.times) AS t (value))) END,
               CASE WHEN d.activity <> '{}' THEN (SELECT max(a.value::timestamptz) FROM unnest(d.activity || d.times) AS a (value)) END,
               d.messages, d.rows, o.id, d.byte_offset, d.byte_length, d.json_length, d.json_sha256, '{}', CASE WHEN c.session_id IS NULL THEN $4 ELSE $3 END, d.part
        FROM pg_temp.archiver_found_documents AS d
        JOIN archiver.objects AS o ON o.location = $2 AND o.key = d.key AND o.state = 'stored'
        LEFT JOIN pg_temp.archiver_confirmed AS c
          ON c.session_id = d.session_id AND c.generation = d.generation AND c.json_sha256 = encode(d.json_sha256, 'hex')
        ORDER BY d.session_id, d.generation, (c.session_id IS NULL), d.exported_at DESC, d.key
        ON CONFLICT (source, session_id, generation) DO NOTHING
        """;

    private const string AbandonUnnamed = """
        UPDATE archiver.objects AS o
        SET state = 'abandoned', reason = 'rebuilt from the bucket; a later or confirmed object has the same generation, or it was erased', ended_at = clock_timestamp()
        FROM pg_temp.archiver_found_objects AS f
        WHERE o.location = $1 AND o.key = f.key AND o.state = 'stored' AND NOT EXISTS (SELECT FROM archiver.archives AS a WHERE a.object_id = o.id)
        """;

    /// <summary>Documents of erased sessions: their objects are recorded, so that they can be removed, and no archive of them.</summary>
    public long Erased { get; private set; }

    /// <summary>Makes the temporary tables.</summary>
    public Task BeginAsync(CancellationToken cancellationToken) => connection.ExecuteAsync(CreateTables, cancellationToken);

    public async Task AddAsync(BatchManifest manifest, CancellationToken cancellationToken) => await connection.ExecuteAsync(
        AddConfirmed, cancellationToken, PgParameter.Texts(manifest.Members.Select(m => m.Session)),
        PgParameter.Ints(manifest.Members.Select(m => m.Generation)), PgParameter.Texts(manifest.Members.Select(m => m.JsonSha256)));

    public async Task AddAsync(IReadOnlyList<FoundObject> objects, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync(
            AddObjects, cancellationToken,
            PgParameter.Texts(objects.Select(o => o.Key)), PgParameter.Texts(objects.Select(o => o.VersionId)),
            PgParameter.Texts(objects.Select(o => o.Metadata.GetValueOrDefault(Storage.ObjectMetadata.AttemptKey) ?? "")),
            PgParameter.Texts(objects.Select(o => o.IsBundle ? "bundle" : "session")), PgParameter.Texts(objects.Select(o => PgArray.Literal(o.Documents.Select(d => d.SessionId)))),
            PgParameter.Bigints(objects.Select(o => o.Length)), PgParameter.BytesArray(objects.Select(o => o.Sha256)),
            PgParameter.Texts(objects.Select(o => o.Documents[0].Header.Source.Run)), PgParameter.Texts(objects.Select(o => o.Documents[0].Header.Source.Policy)),
            PgParameter.Texts(objects.Select(o => o.Documents[0].Header.ArchivedAt)));
        List<(string Key, FoundDocument Found)> documents = [.. objects.SelectMany(o => o.Documents.Where(d => !IsErased(d)).Select(d => (o.Key, d)))];
        Erased += objects.Sum(o => o.Documents.Count) - documents.Count;
        await connection.ExecuteAsync(
            AddDocuments, cancellationToken,
            PgParameter.Texts(documents.Select(d => d.Key)), PgParameter.Texts(documents.Select(d => d.Found.SessionId)), PgParameter.Texts(documents.Select(d => d.Found.ExternalId)),
            PgParameter.Ints(documents.Select(d => d.Found.Generation)), PgParameter.Texts(documents.Select(d => d.Found.User)), PgParameter.Texts(documents.Select(d => d.Found.Created)),
            PgParameter.Texts(documents.Select(d => PgArray.Literal(d.Found.Activity))), PgParameter.Texts(documents.Select(d => PgArray.Literal(d.Found.Times))), PgParameter.Bigints(documents.Select(d => d.Found.Messages)),
            PgParameter.Bigints(documents.Select(d => d.Found.Rows)), PgParameter.Bigints(documents.Select(d => d.Found.Offset)), PgParameter.Bigints(documents.Select(d => d.Found.Length)),
            PgParameter.Bigints(documents.Select(d => d.Found.JsonLength)), PgParameter.BytesArray(documents.Select(d => d.Found.JsonSha256)),
            PgParameter.Texts(documents.Select(d => d.Found.Header.Source.Run)), PgParameter.Texts(documents.Select(d => d.Found.Header.Source.Policy)),
            PgParameter.Texts(documents.Select(d => d.Found.Header.ArchivedAt)), PgParameter.Bools(documents.Select(d => d.Found.Header.IsPart)));
    }

    private bool IsErased(FoundDocument document) =>
        erased.Covers(document.SessionId, document.User, null, DateTimeOffset.TryParse(document.Header.ArchivedAt, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null);

    /// <summary>Writes everything to the ledger and gives each archive its state; returns how many archives were added.</summary>
    /// <param name="audit">Written with it; null where the caller writes its own.</param>
    /// <param name="connections">For the question what became of the commit.</param>
    /// <param name="lease">Of whoever holds the source's lock.</param>
    /// <param name="cancellationToken">Gives up; nothing is written then.</param>
    public async Task<int> WriteAsync(AuditEntry? audit, SourceConnections connections, Lease lease, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // Texts without a zone are in the source's.
        await connection.ExecuteAsync("SELECT set_config('TimeZone', $1, true), set_config('DateStyle', 'ISO, YMD', true)", cancellationToken, PgParameter.Text(source.TimeZone));
        var (name, place) = (PgParameter.Text(source.Name), PgParameter.Text(location));
        await connection.ExecuteAsync(InsertRuns, cancellationToken, name.Clone());
        await connection.ExecuteAsync(InsertObjects, cancellationToken, name.Clone(), place.Clone());
        var added = await connection.ExecuteAsync(InsertArchives, cancellationToken, name.Clone(), place.Clone(), PgParameter.Text(Confirmed), PgParameter.Text(Unconfirmed));
        await connection.ExecuteAsync(AbandonUnnamed, cancellationToken, place.Clone());
        await new UnknownArchives(connection, source, await TableDescriber.DescribeAsync(connection, source.Map, cancellationToken)).SettleGoneAsync(cancellationToken);
        if (audit is not null)
            await AuditLog.WriteAsync(connection, audit, cancellationToken);
        await lease.CommitAsync(connections, connection, transaction, cancellationToken);
        return added;
    }
}
