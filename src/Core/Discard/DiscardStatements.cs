using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;

namespace Archiver.Core.Discard;

/// <summary>
/// The SQL that says how far each old object is on its way to its discard. The unit is the object: a bundle goes when every session in it
/// may go. Ages count from when the copy was stored, by the database's clock.
/// </summary>
internal static class DiscardStatements
{
    public const string AnyHold = "SELECT EXISTS (SELECT FROM archiver.holds AS h WHERE h.source = $1 AND h.removed_at IS NULL)";

    private static readonly string Columns = $"c.id, c.key, c.version_id, c.archives, c.length, {KnownFolder.Sql("$1", "c.key")}";

    /// <summary>
    /// SQL that is true for an object that stays for a hold. Nobody knows whose or when a copy is that no archive of its object names: any
    /// hold by user or range may cover it.
    /// </summary>
    /// <param name="session">The same of a session, whose id is <c>k.id</c>.</param>
    public static string Held(string session) =>
        $"""
            EXISTS (SELECT FROM unnest(o.members) AS m (id)
                    WHERE NOT EXISTS (SELECT FROM archiver.archives AS a WHERE a.object_id = o.id AND a.session_id = m.id COLLATE "C")
                      AND NOT {HoldCondition.IdNotHeld("o.source", "m.id")})
              OR EXISTS (SELECT FROM (SELECT m.id FROM unnest(o.members) AS m (id)
                                      UNION
                                      SELECT a.session_id COLLATE pg_catalog."default" FROM archiver.archives AS a
                                      WHERE a.object_id = o.id AND a.state <> 'erased') AS k (id)
                         WHERE {session})
            """;

    // A copy whose age no clock of this ledger knows better than the object's own counts from that. Abandoned objects end too: they hold
    // the same text, and nobody else destroys one that is somebody's only copy. A stored copy waits: its session's live row points to it.
    private static string Candidates(string held) =>
        $"""
            SELECT o.id, o.key, o.version_id, o.length, o.removal_began_at,
                   (SELECT count(*) FROM archiver.archives AS a WHERE a.object_id = o.id
                     AND a.state NOT IN ('discarded', 'erased')) AS archives,
                   CASE WHEN {held} THEN 'held'
                        WHEN EXISTS (SELECT FROM archiver.archives AS a WHERE a.object_id = o.id AND a.state = 'unknown') THEN 'unknown'
                        WHEN EXISTS (SELECT FROM archiver.archives AS a WHERE a.object_id = o.id AND a.state = 'stored') THEN 'stored'
                        WHEN o.discard_announced_at IS NULL THEN 'unannounced'
                        WHEN g.stored_at < clock_timestamp() - $3 AND o.discard_announced_at <= clock_timestamp() - $4 THEN 'due'
                        ELSE 'announced' END AS step,
                   greatest(g.stored_at + $3, coalesce(o.discard_announced_at, clock_timestamp()) + $4) AS due_at
            FROM archiver.objects AS o
            CROSS JOIN LATERAL (
              SELECT greatest(coalesce(o.stored_at, o.created_at), max(a.stored_at)) AS stored_at
              FROM archiver.archives AS a
              WHERE a.object_id = o.id AND a.state NOT IN ('abandoned', 'discarded', 'erased')) AS g
            WHERE o.location = $1 AND o.source = $2 AND o.state IN ('stored', 'abandoned') AND {RemovedObjects.IsNot}
              AND coalesce(o.stored_at, o.created_at) < clock_timestamp() - greatest($3 - $4, '0')
              AND g.stored_at < clock_timestamp() - greatest($3 - $4, '0')
            """;

    /// <summary>Objects, archives and bytes by step, and the first date at which one is destroyed.</summary>
    /// <param name="held">As <see cref="Held"/> gives it.</param>
    public static string Count(string held) =>
        $"""
            SELECT c.step, count(*), sum(c.archives)::bigint, sum(c.length)::bigint,
              to_char(min(c.due_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            FROM ({Candidates(held)}) AS c
            GROUP BY c.step
            """;

    /// <summary>Objects of a step with an id above another, the first of them; all three are placeholders.</summary>
    public static string Page(string held, string step, string last, string limit) =>
        $"SELECT {Columns} FROM ({Candidates(held)}) AS c WHERE c.step = {step} AND c.id > {last} ORDER BY c.id LIMIT {limit}";

    /// <summary>The ones of some ids that are still at a step; both are placeholders. Asked under the hold lock.</summary>
    public static string Still(string held, string step, string ids) =>
        $"SELECT c.id FROM ({Candidates(held)}) AS c WHERE c.step = {step} AND c.id = ANY ({ids})";

    /// <summary>Objects whose removal began and that may not go any more: a process died over them, and then came a hold.</summary>
    public static string Interrupted(string held) =>
        $"SELECT {Columns} FROM ({Candidates(held)}) AS c WHERE c.step <> 'due' AND c.removal_began_at IS NOT NULL";

    public const string Announce =
        "UPDATE archiver.objects AS o SET discard_announced_at = clock_timestamp() WHERE o.id = ANY ($1) AND "
        + "o.discard_announced_at IS NULL";

    public const string BeginRemoval = "UPDATE archiver.objects AS o SET removal_began_at = clock_timestamp() WHERE o.id = ANY ($1)";

    public const string GiveUpRemoval = "UPDATE archiver.objects AS o SET removal_began_at = NULL WHERE o.id = ANY ($1)";

    public const string MarkObjects = """
        UPDATE archiver.objects AS o SET state = 'discarded', ended_at = clock_timestamp() WHERE o.id = ANY ($1)
          AND o.state IN ('stored', 'abandoned')
        """;

    public const string MarkArchives = """
        UPDATE archiver.archives AS a SET state = 'discarded', ended_at = clock_timestamp() WHERE a.object_id = ANY ($1)
          AND a.state NOT IN ('discarded', 'erased')
        """;

    /// <summary>The parameters that every statement over the candidates begins with: $2 is the source's name.</summary>
    public static SqlParameters Parameters(string location, string source, TimeSpan after, DiscardSettings settings)
    {
        var parameters = new SqlParameters();
        parameters.Add(PgParameter.Text(location));
        parameters.Add(PgParameter.Text(source));
        parameters.Add(PgParameter.Interval(after));
        parameters.Add(PgParameter.Interval(settings.Notice));
        return parameters;
    }
}
