using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;

namespace Archiver.Core.Deletion;

/// <summary>
/// The SQL of the short transaction (PROTOCOL.md rules 9 to 14). Every statement takes the batch's session keys as $1, a text array that is
/// cast to the key's exact type.
/// </summary>
internal sealed class DeleteStatements(SourceMap map, SourceShape shape)
{
    private readonly string _keys = $"= ANY ($1::{shape.KeyType(map)}[])";

    private string SessionKey => SessionPath.Column("t", map.Session.Key);

    /// <summary>
    /// Locks the session rows and returns key and version hash of those it got. FOR UPDATE, never FOR NO KEY UPDATE, which an insert's
    /// foreign key check does not wait for; SKIP LOCKED, so that a session in use is left alone instead of waited for.
    /// </summary>
    public string LockSessions => $"""
        SELECT {SessionKey}::text, {RowVersion.Hash("t")}
        FROM {map.Session.Table.Sql} AS t
        WHERE {SessionKey} {_keys}
        FOR UPDATE SKIP LOCKED
        """;

    /// <summary>Children that have children themselves, parents first: a row added below them locks them, not the session.</summary>
    public IEnumerable<ChildTable> Parents => map.Children.Where(c => map.Children.Any(g => g.Parent == c.Name));

    /// <summary>Every child, deepest first.</summary>
    public IEnumerable<ChildTable> DeepestFirst => map.Children.Reverse();

    /// <summary>Locks what it can of a child's rows and returns their fingerprint by session; fewer than exported means that one is in use.</summary>
    public string LockRows(ChildTable child)
    {
        var path = SessionPath.Of(map, child);
        return $"""
            WITH locked AS (
              SELECT {path.Key} AS k, {RowVersion.Hash("t")} AS h
              FROM {path.From(child)}
              WHERE {path.Where(_keys)}
              FOR UPDATE OF t SKIP LOCKED
            )
            SELECT k::text, count(*), sum(h)::text FROM locked GROUP BY k
            """;
    }

    /// <summary>Deletes a child's rows and returns their fingerprint by session, computed as the export computed it.</summary>
    public string DeleteRows(ChildTable child)
    {
        var path = SessionPath.Of(map, child);
        return $"""
            WITH deleted AS (
              DELETE FROM {child.Table.Sql} AS t{path.Using}
              WHERE {path.Where(_keys)}
              RETURNING {path.Key} AS k, {RowVersion.Hash("t")} AS h
            )
            SELECT k::text, count(*), sum(h)::text FROM deleted GROUP BY k
            """;
    }

    /// <summary>Deletes the session rows and returns their keys. Their versions were compared when they were locked: a counter trigger on the messages may have updated them since.</summary>
    public string DeleteSessions => $"""
        DELETE FROM {map.Session.Table.Sql} AS t
        WHERE {SessionKey} {_keys}
        RETURNING {SessionKey}::text
        """;

    /// <summary>Which of the keys still have a session row, locked or not.</summary>
    public string Existing => $"SELECT {SessionKey}::text FROM {map.Session.Table.Sql} AS t WHERE {SessionKey} {_keys}";

    /// <summary>Which of the keys no hold covers ($2 is the source's name).</summary>
    public string NotHeld(SourceSettings source, SqlParameters parameters, IEnumerable<string> keys)
    {
        var keyList = parameters.Add(PgParameter.Texts(keys));
        var name = parameters.Add(PgParameter.Text(source.Name));
        var key = SessionPath.Column("s", map.Session.Key);
        return $"""
            SELECT {key}::text
            FROM {map.Session.Table.Sql} AS s
            WHERE {key} = ANY ({keyList}::{shape.KeyType(map)}[])
              AND {HoldCondition.NotHeld(source, shape, key, name, parameters)}
            """;
    }

    /// <summary>Since when the oldest other transaction has held locks on the mapped tables ($1, oids): whom a locked session waits for.</summary>
    public const string OldestHolder = """
        SELECT to_char(min(a.xact_start) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        FROM pg_locks AS l
        JOIN pg_stat_activity AS a ON a.pid = l.pid
        WHERE l.locktype = 'relation' AND l.relation = ANY ($1) AND l.pid <> pg_backend_pid()
        """;
}
