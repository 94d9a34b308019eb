using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Archiver.Core.Upload;
using Npgsql;

namespace Archiver.Core.Erasure;

/// <summary>
/// Takes ids, users, kept columns and times out of the ledger. What stays says that something was erased, not what or whose.
/// </summary>
internal static class EraseLedger
{
    // A mark names the session too: it has the key of its object, and a hash of its row.
    private const string Archives = """
        UPDATE archiver.archives AS a
        SET state = 'erased', session_id = 'erased-' || a.id, external_id = NULL, user_id = NULL, keep = NULL, mark = NULL,
          session_created_at = NULL, session_first_activity = NULL, session_last_activity = NULL,
            fingerprints = '{}', json_sha256 = '', reason = NULL, ended_at = clock_timestamp()
        WHERE a.object_id = ANY ($1) AND a.session_id = ANY ($2) AND a.state <> 'erased'
        """;

    // The key of an object of one session is made of its id.
    private const string Objects = """
        UPDATE archiver.objects AS o
        SET state = 'erased', key = 'erased/' || o.id, version_id = NULL, attempt = '', members = '{}', sha256 = '', reason = NULL,
          removal_began_at = NULL, ended_at = clock_timestamp()
        WHERE o.id = ANY ($1) AND NOT EXISTS (SELECT FROM unnest(o.members) AS m (id) WHERE NOT (m.id = ANY ($2)))
        """;

    private const string Members = """
        UPDATE archiver.objects AS o
        SET members = ARRAY(SELECT m.id FROM unnest(o.members) AS m (id) WHERE NOT (m.id = ANY ($2)))
        WHERE o.id = ANY ($1) AND o.state <> 'erased'
        """;

    private const string Quarantine = "DELETE FROM archiver.quarantine AS q WHERE q.source = $1 AND q.session_id = ANY ($2)";

    // Holds in force are never erased: what they cover is not.
    private static string Holds(ColumnShape? user) =>
        $"""
            UPDATE archiver.holds AS h
            SET session_id = CASE WHEN h.session_id IS NULL THEN NULL ELSE 'erased' END, user_id = CASE WHEN h.user_id IS NULL THEN NULL
              ELSE 'erased' END
            WHERE h.source = $1 AND h.removed_at IS NOT NULL
              AND (h.session_id = ANY ($2) OR {SameUser.Form(user, "h.user_id")} = {SameUser.Form(user, "$3")})
            """;

    /// <summary>After their objects are confirmed gone; returns how many archives and objects that were.</summary>
    public static async Task<(int Archives, int Objects)> ObjectsAsync(
        NpgsqlConnection connection,
        IEnumerable<long> objects,
        IReadOnlyCollection<string> sessions,
        CancellationToken cancellationToken
    )
    {
        long[] ids = [.. objects];
        var archives = await connection.ExecuteAsync(Archives, cancellationToken, PgParameter.Bigints(ids), PgParameter.Texts(sessions));
        var erased = await connection.ExecuteAsync(Objects, cancellationToken, PgParameter.Bigints(ids), PgParameter.Texts(sessions));
        await connection.ExecuteAsync(Members, cancellationToken, PgParameter.Bigints(ids), PgParameter.Texts(sessions));
        return (archives, erased);
    }

    /// <summary>
    /// What names sessions without being a way to find them: quarantine, holds that were lifted, errors of runs and proofs.
    /// </summary>
    public static async Task RestAsync(
        NpgsqlConnection connection,
        string source,
        IReadOnlyCollection<string> sessions,
        string? user,
        ColumnShape? userColumn,
        CancellationToken cancellationToken
    )
    {
        await connection.ExecuteAsync(Quarantine, cancellationToken, PgParameter.Text(source), PgParameter.Texts(sessions));
        await connection.ExecuteAsync(
            Holds(userColumn),
            cancellationToken,
            PgParameter.Text(source),
            PgParameter.Texts(sessions),
            PgParameter.Text(user)
        );
        // What went wrong with an object is told with its key, which may be made of the id.
        await RunErrors.ForgetAsync(connection, source, [.. sessions, .. sessions.Select(ObjectKey.Encode)], cancellationToken);
    }
}
