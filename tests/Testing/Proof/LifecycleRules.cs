namespace Archiver.Testing.Proof;

/// <summary>
/// What must hold at any instant of sessions that are stored while their rows stay, and of purges, expiries, discards and erasures; each
/// rule's rows are the violations.
/// </summary>
internal static class LifecycleRules
{
    // What the audit, in the same transaction, says of itself.
    private const string Audited = """
        SELECT u.run, u.action, coalesce((u.counts ->> 'sessions')::bigint, 0) AS sessions,
          coalesce((u.counts ->> 'rows')::bigint, 0) AS rows, v.*
        FROM shadow.audits AS u
        CROSS JOIN LATERAL (
          SELECT count(*) FILTER (WHERE v.op = 'D') AS deleted, count(*) FILTER (WHERE v.op = 'D'
            AND v.tab = 'session') AS sessions_deleted,
                 count(*) FILTER (WHERE v.op = 'U' AND v.tab = 'session') AS sessions_updated, count(*) FILTER (WHERE v.op <> 'D') AS others
          FROM shadow.versions AS v WHERE v.xid = u.xid) AS v
        """;

    public static readonly IReadOnlyDictionary<string, string> Always = new Dictionary<string, string>
    {
        ["stored with other content than the session had when it was marked"] = """
            SELECT m.key FROM shadow.marks AS m JOIN shadow.documents AS d ON d.archive = m.archive AND d.tab = m.tab AND d.key = m.key
              WHERE d.content <> m.before
            """,
        ["stored with content that it never had"] = """
            SELECT d.tab || ' ' || d.key FROM shadow.documents AS d JOIN archiver.archives AS a ON a.id = d.archive
            WHERE a.state = 'stored'
              AND NOT EXISTS (SELECT FROM shadow.versions AS v WHERE v.tab = d.tab AND v.key = d.key AND v.content = d.content)
            """,
        ["stored as the copy of a session that the archiver has deleted"] = """
            SELECT a.session_id FROM archiver.archives AS a JOIN last AS l ON l.tab = 'session' AND l.key = a.session_id
            WHERE a.state = 'stored' AND l.op = 'D' AND starts_with(l.who, 'archiver')
            """,
        ["marked, and its archive is not stored"] = """
            SELECT m.key FROM shadow.marks AS m JOIN last AS l ON l.tab = m.tab AND l.key = m.key AND l.n = m.n
            JOIN archiver.archives AS a ON a.id = m.archive WHERE a.state NOT IN ('stored', 'discarded', 'erased')
            """,
        ["a mark was taken back, and the row is not what it was before"] = """
            SELECT v.key FROM shadow.versions AS v
            JOIN shadow.records AS r ON r.xid = v.xid AND r.session = v.key AND r.state = 'superseded'
            JOIN shadow.marks AS m ON m.tab = v.tab AND m.key = v.key
              AND m.n = (SELECT max(e.n) FROM shadow.versions AS e WHERE e.tab = v.tab AND e.key = v.key AND e.n < v.n)
            WHERE v.op = 'U' AND starts_with(v.who, 'archiver') AND v.content <> m.before
            """,
        ["updated by the archiver in a transaction that neither stored, nor took a mark back, nor was an expiry's"] = """
            SELECT v.tab || ' ' || v.key FROM shadow.versions AS v
            WHERE v.op = 'U' AND starts_with(v.who, 'archiver')
              AND NOT (v.tab = 'session'
                AND EXISTS (SELECT FROM shadow.records AS c WHERE c.xid = v.xid AND c.session = v.key
                  AND c.state IN ('stored', 'superseded')))
              AND NOT EXISTS (SELECT FROM shadow.audits AS u JOIN archiver.runs AS r ON r.id = u.run WHERE u.xid = v.xid
                AND u.action = 'expire' AND r.action = 'expire')
            """,
        ["a purge's audit differs from the shadow"] = $"""
            SELECT a.run || ' says ' || a.sessions || ' sessions, ' || a.rows || ' rows; the shadow ' || a.sessions_deleted || ', ' || a.deleted FROM ({Audited}) AS a
            WHERE a.action = 'purge' AND (a.rows <> a.deleted OR a.others <> 0 OR a.sessions_deleted NOT IN (0, a.sessions))
            """,
        ["an expiry's audit differs from the shadow"] = $"""
            SELECT a.run || ' says ' || a.sessions || ' sessions; the shadow ' || a.sessions_updated FROM ({Audited}) AS a
            WHERE a.action = 'expire'
              AND (a.sessions <> a.sessions_updated OR a.rows <> 0 OR a.deleted <> 0 OR a.others <> a.sessions_updated)
            """,
        ["a run's counts differ from its audit's"] = $"""
            SELECT r.id || ' says ' || r.sessions_done || ' sessions, ' || r.rows_deleted || ' rows; the audit ' || s.sessions || ', ' || s.rows
            FROM archiver.runs AS r
            CROSS JOIN LATERAL (SELECT coalesce(sum(a.sessions), 0) AS sessions, coalesce(sum(a.rows), 0) AS rows FROM ({Audited}) AS a
              WHERE a.run = r.id AND a.action = r.action) AS s
            WHERE r.action IN ('purge', 'expire') AND (r.sessions_done, r.rows_deleted) <> (s.sessions, s.rows)
            """,
        ["archives that were discarded or erased are not those that the audit counts"] = """
            SELECT xid || ': ' || c.done || ' ' || c.action || ', audited ' || c.audited
            FROM (SELECT coalesce(r.xid, u.xid) AS xid, coalesce(r.action, u.action) AS action, coalesce(r.n, 0) AS done,
              coalesce(u.n, 0) AS audited
                  FROM (SELECT r.xid, CASE r.state WHEN 'erased' THEN 'erase' ELSE 'discard' END AS action, count(*) AS n
                    FROM shadow.records AS r WHERE r.state IN ('erased', 'discarded') GROUP BY 1, 2) AS r
                  FULL JOIN (SELECT u.xid, u.action, sum((u.counts ->> 'archives')::bigint) AS n FROM shadow.audits AS u
                    WHERE u.action IN ('erase', 'discard') AND u.counts ? 'archives' GROUP BY 1, 2) AS u
                    ON u.xid = r.xid AND u.action = r.action) AS c
            WHERE c.done <> c.audited
            """,
    };

    /// <summary>
    /// Live rows that were there when the run began which stored their session, and have not changed since, must be in its object.
    /// </summary>
    public static (string Rule, string Sql) Stored(ShadowTable table) =>
        (
            $"a session is stored, and its object does not hold its {table.Name}",
            $"""
            SELECT a.session_id || ' ' || l.key
            FROM archiver.archives AS a
            JOIN shadow.begun AS b ON b.run = a.run_id
            JOIN {table.Table} AS t ON t.{table.Session}::text = a.session_id
            JOIN last AS l ON l.tab = '{table.Name}' AND l.key = t.{table.Key}::text
            WHERE a.state = 'stored' AND pg_visible_in_snapshot(l.xid, b.snapshot)
              AND NOT EXISTS (SELECT FROM shadow.documents AS d WHERE d.archive = a.id AND d.tab = l.tab AND d.key = l.key
                AND d.content = l.content)
            """
        );
}
