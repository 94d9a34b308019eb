namespace Archiver.Testing.Proof;

/// <summary>What must hold at any instant (docs/proof.md), each rule as a query whose rows are the violations.</summary>
internal static class OracleRules
{
    /// <summary>The last version of every row, once for all rules of a check: the shadow grows as long as a proof goes on.</summary>
    // A row that was marked before it was deleted counts as what it was before the mark: that is what its object holds.
    public const string Last = """
        CREATE TEMP TABLE last ON COMMIT DROP AS
        WITH marks AS MATERIALIZED (SELECT DISTINCT m.tab, m.key, m.n, m.before FROM shadow.marks AS m)
        SELECT l.*, coalesce(m.before, l.content) AS unmarked
        FROM (SELECT DISTINCT ON (v.tab, v.key) v.* FROM shadow.versions AS v ORDER BY v.tab, v.key, v.n DESC) AS l
        LEFT JOIN marks AS m ON l.op = 'D' AND m.tab = l.tab AND m.key = l.key AND m.n < l.n
          AND NOT EXISTS (SELECT FROM shadow.versions AS e WHERE e.tab = l.tab AND e.key = l.key AND e.n > m.n AND e.n < l.n);
        CREATE INDEX ON last (tab, key);
        ANALYZE last;
        """;

    private const string Archived = """
        WITH archived AS (
          SELECT d.tab, d.key, d.content FROM shadow.documents AS d JOIN archiver.archives AS a ON a.id = d.archive
            WHERE a.state = 'archived'
            -- The row of a session of which a part is archived lives on.
            AND NOT (a.part AND d.tab = 'session'))
        -- Superseded by the generation that a restore put in its place, and restorable; or destroyed on purpose later.
        , former AS (
          SELECT d.tab, d.key, d.content FROM shadow.documents AS d JOIN archiver.archives AS a ON a.id = d.archive
            WHERE a.state IN ('superseded', 'discarded', 'erased'))
        """;

    // The two exceptions of section 6, and only in runs of their names.
    private const string Named = """
        EXISTS (SELECT FROM shadow.audits AS u JOIN archiver.runs AS r ON r.id = u.run WHERE u.xid = v.xid AND u.action = r.action
          AND u.action IN ('purge', 'erase'))
        """;

    /// <summary>Rules that a query over the shadow and the ledger decides.</summary>
    public static readonly IReadOnlyDictionary<string, string> Always = new Dictionary<string, string>
    {
        ["lost: deleted by the archiver, and no archived object holds this very version"] =
            Archived
            + """
                SELECT v.tab || ' ' || v.key FROM last AS v
                WHERE v.op = 'D' AND starts_with(v.who, 'archiver')
                  AND NOT EXISTS (SELECT FROM archived AS a WHERE a.tab = v.tab AND a.key = v.key AND a.content = v.unmarked)
                  AND NOT EXISTS (SELECT FROM former AS a WHERE a.tab = v.tab AND a.key = v.key AND a.content = v.unmarked)
                """
            + $"""

                  AND NOT {Named}
                """,
        ["stale or double: in an archived object, but its last version is another, or live, or deleted by a user"] =
            Archived
            + """
                SELECT a.tab || ' ' || a.key FROM archived AS a LEFT JOIN last AS l ON l.tab = a.tab AND l.key = a.key
                WHERE l.op IS DISTINCT FROM 'D' OR NOT starts_with(l.who, 'archiver') OR l.unmarked <> a.content
                """,
        ["deleted, discarded, erased or removed while a hold covered it"] =
            "SELECT h.what || ' ' || h.key || ', hold ' || h.hold FROM shadow.held AS h",
        ["archived in two generations at once"] = """
            SELECT a.session_id FROM archiver.archives AS a WHERE a.state = 'archived' AND NOT a.part GROUP BY a.source, a.session_id
              HAVING count(*) > 1
            """,
        ["restored with content that it never had"] = """
            SELECT v.tab || ' ' || v.key FROM shadow.versions AS v
            WHERE v.op = 'I' AND starts_with(v.who, 'archiver')
              AND NOT EXISTS (SELECT FROM shadow.versions AS e WHERE e.tab = v.tab AND e.key = v.key AND e.n < v.n
                AND e.content = v.content)
            """,
        ["archived or stored, but its object is not stored"] = """
            SELECT a.session_id FROM archiver.archives AS a JOIN archiver.objects AS o ON o.id = a.object_id
              WHERE a.state IN ('archived', 'stored') AND o.state <> 'stored'
            """,
        ["a run's counts differ from the shadow's"] = """
            SELECT r.id::text || ' says ' || r.sessions_done || ' sessions, ' || r.rows_deleted || ' rows; the shadow ' || s.sessions || ', ' || s.rows
            FROM archiver.runs AS r
            CROSS JOIN LATERAL (
              SELECT (SELECT count(*) FROM shadow.records AS c WHERE c.xid IN (SELECT o.xid FROM shadow.counted AS o WHERE o.run = r.id)
                AND c.state IN ('archived', 'stored')) AS sessions,
                     (SELECT count(*) FROM shadow.versions AS v
                      WHERE v.op = 'D' AND v.xid IN (SELECT c.xid FROM shadow.records AS c JOIN shadow.counted AS o ON o.xid = c.xid
                        WHERE o.run = r.id AND c.state = 'archived')) AS rows) AS s
            WHERE r.action = 'archive' AND (r.sessions_done, r.rows_deleted) <> (s.sessions, s.rows)
            """,
        ["archived or stored in a transaction that no run counts"] = """
            SELECT c.session FROM shadow.records AS c WHERE c.state IN ('archived', 'stored')
              AND NOT EXISTS (SELECT FROM shadow.counted AS o WHERE o.xid = c.xid)
            """,
        ["deleted by the archiver in a transaction that archived nothing, and was no purge's or erasure's"] = $"""
            SELECT v.tab || ' ' || v.key FROM shadow.versions AS v
            WHERE v.op = 'D' AND starts_with(v.who, 'archiver')
              AND NOT EXISTS (SELECT FROM shadow.records AS c WHERE c.xid = v.xid AND c.state = 'archived')
              AND NOT {Named}
            """,
    };

    /// <summary>What must hold besides once nothing runs and the last run ended by itself.</summary>
    public static readonly IReadOnlyDictionary<string, string> AtRest = new Dictionary<string, string>
    {
        ["an object is still pending"] = "SELECT o.key FROM archiver.objects AS o WHERE o.state = 'pending'",
        ["a run is still running"] = "SELECT r.id::text FROM archiver.runs AS r WHERE r.state = 'running'",
    };

    /// <summary>The live rows of a table against their last recorded versions.</summary>
    public static (string Rule, string Sql) Live(ShadowTable table) =>
        (
            $"live rows of {table.Name} are not the last versions that were committed",
            $"""
            SELECT coalesce(t.key, l.key)
            FROM (SELECT {table.Key}::text AS key, r::text AS content FROM {table.Table} AS r) AS t
            FULL JOIN (SELECT * FROM last WHERE tab = '{table.Name}' AND op <> 'D') AS l ON l.key = t.key
            WHERE t.content IS DISTINCT FROM l.content
            """
        );
}
