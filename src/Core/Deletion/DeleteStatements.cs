using Archiver.Core.Holds;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>
/// The SQL of the short transaction (docs/protocol.md rules 9 to 14). Every statement takes the batch's session keys as $1, a text array
/// that is cast to the key's exact type, and comes with it: ids of a former type of the key are not among them, and have no rows.
/// </summary>
/// <param name="map">What is mapped.</param>
/// <param name="shape">The tables as they are under the lock.</param>
/// <param name="only">The rows to take of sessions that stay; null to take the sessions whole.</param>
/// <param name="late">The session rows are gone, and rows that came after that are left.</param>
internal sealed class DeleteStatements(SourceMap map, SourceShape shape, RowChoice? only = null, bool late = false)
{
    private readonly KeyForm _form = KeyForm.Of(map, shape);
    private readonly KeyMatch _keys = KeyMatch.Among(KeyForm.Of(map, shape), "$1");

    public SourceMap Map => map;

    /// <summary>Whether the session rows go too.</summary>
    public bool WholeSessions => only is null && !late;

    /// <summary>Whether the sessions have rows of their own among those that go.</summary>
    public bool SessionRows => WholeSessions && map.Session.HasRow;

    private SessionKey SessionKey => shape.KeyOf(map, "t");

    /// <summary>
    /// Locks the session rows and returns key and version hash of those it got. FOR UPDATE, never FOR NO KEY UPDATE, which an insert's
    /// foreign key check does not wait for; SKIP LOCKED, so that a session in use is left alone instead of waited for.
    /// </summary>
    public (string Sql, NpgsqlParameter[] Parameters) LockSessions(IEnumerable<string> keys) =>
        (
            $"""
            SELECT {SessionKey}::text, {RowVersion.OfSession(map, "t")}
            FROM {map.Session.Sql} AS t
            WHERE {_keys.Sql(SessionKey)}
            {(map.Session.HasRow ? "FOR UPDATE SKIP LOCKED" : "")}
            """,
            [_form.Parameter(keys)]
        );

    /// <summary>Fingerprints of the session rows by key, without a lock.</summary>
    public (string Sql, NpgsqlParameter[] Parameters) ReadSessions(IEnumerable<string> keys) =>
        (
            $"""
            SELECT {SessionKey}::text, count(*), sum({RowVersion.OfSession(map, "t")})::text
            FROM {map.Session.Sql} AS t
            WHERE {_keys.Sql(SessionKey)}
            GROUP BY {SessionKey}
            """,
            [_form.Parameter(keys)]
        );

    /// <summary>
    /// Children that have children themselves, parents first: a row added below them locks them, not the session. And the rows that make a
    /// session which has none of its own.
    /// </summary>
    public IEnumerable<ChildTable> Parents => TopDown.Where(c => c.Name == map.Session.From || map.Children.Any(g => g.Parent == c.Name));

    /// <summary>Every child with rows to delete, parents before their children.</summary>
    public IEnumerable<ChildTable> TopDown => map.Children.Where(c => only is null || only.Condition(c, new SqlParameters()) is not null);

    /// <summary>The same, deepest first: the tables that <see cref="Delete"/> numbers, followed by the session's own.</summary>
    public IReadOnlyList<ChildTable> DeepestFirst => [.. TopDown.Reverse()];

    /// <summary>
    /// Locks what it can of a child's rows and returns their fingerprint by session; fewer than exported means that one is in use.
    /// </summary>
    public (string Sql, NpgsqlParameter[] Parameters) LockRows(ChildTable child, IEnumerable<string> keys) =>
        ReadRows(child, keys, "FOR UPDATE OF t SKIP LOCKED");

    /// <summary>Fingerprints of a child's rows by session, locked or not.</summary>
    public (string Sql, NpgsqlParameter[] Parameters) ReadRows(ChildTable child, IEnumerable<string> keys) => ReadRows(child, keys, "");

    /// <summary>
    /// Deletes all rows of the sessions in one statement, and returns by table and session their number and fingerprint, computed as the
    /// export computed it; of the sessions only the number, for their versions were compared when they were locked. One statement, because
    /// the server checks foreign keys when it ends: in whatever order the tables point to each other, in a circle too, no key is in the
    /// way. And because triggers then find the session gone, as they do when the application deletes it: whatever they still update is
    /// somebody else's.
    /// </summary>
    /// <param name="keys">The sessions.</param>
    /// <param name="sessionsFirst">Deletes from the top down: for triggers that update a session before a row below it goes.</param>
    public (string Sql, NpgsqlParameter[] Parameters) Delete(IEnumerable<string> keys, bool sessionsFirst)
    {
        var parameters = new SqlParameters();
        parameters.Add(_form.Parameter(keys));
        List<(string Name, string Delete, string Hash)> steps =
        [
            .. DeepestFirst.Select((c, i) => ($"d{i}", DeleteRows(c, parameters), "sum(h)::text")),
        ];
        if (SessionRows)
            steps.Add(("d", DeleteSessions, "'0'"));
        var deletes = string.Join(",\n", steps.Select(s => $"{s.Name} AS (\n{s.Delete}\n)"));
        var counts = steps.Select((s, i) => $"SELECT {i} AS n, k::text, count(*), {s.Hash} FROM {s.Name} GROUP BY k");
        return ($"WITH {deletes}\n{string.Join("\nUNION ALL\n", sessionsFirst ? counts.Reverse() : counts)}", parameters.ToArray());
    }

    private string DeleteRows(ChildTable child, SqlParameters parameters)
    {
        var path = SessionPath.Of(map, shape, child).Among(_form, "$1");
        var condition = only?.Condition(child, parameters);
        return $"""
            DELETE FROM {child.Table.Sql} AS t{path.Using}
            WHERE {path.All}{(condition is null ? "" : $" AND {condition}")} AND {ApplicationPath.Enter}
            RETURNING {path.Key} AS k, {RowVersion.Hash("t")} AS h
            """;
    }

    private string DeleteSessions =>
        $"""
            DELETE FROM {map.Session.Table.Sql} AS t
            WHERE {_keys.Sql(SessionKey)} AND {ApplicationPath.Enter}
            RETURNING {SessionKey} AS k
            """;

    /// <summary>Which of the keys still have a session row, locked or not.</summary>
    public (string Sql, NpgsqlParameter[] Parameters) Existing(IEnumerable<string> keys) =>
        ($"SELECT {SessionKey}::text FROM {map.Session.Sql} AS t WHERE {_keys.Sql(SessionKey)}", [_form.Parameter(keys)]);

    /// <summary>Which of the keys no hold covers ($2 is the source's name).</summary>
    public string NotHeld(SourceSettings source, SqlParameters parameters, IEnumerable<string> keys)
    {
        var keyList = parameters.Add(_form.Parameter(keys));
        var name = parameters.Add(PgParameter.Text(source.Name));
        var key = shape.KeyOf(map, "s");
        return $"""
            SELECT {key}::text
            FROM {map.Session.Sql} AS s
            WHERE {KeyMatch.Among(KeyForm.Of(map, shape), keyList).Sql(key)}
              AND {HoldCondition.NotHeld(source, shape, key, name, parameters)}
            """;
    }

    private (string Sql, NpgsqlParameter[] Parameters) ReadRows(ChildTable child, IEnumerable<string> keys, string locking)
    {
        var path = SessionPath.Of(map, shape, child).Among(_form, "$1");
        var (where, parameters) = Where(child, path, keys);
        return (
            $"""
            WITH found AS (
              SELECT {path.Key} AS k, {RowVersion.Hash("t")} AS h
              FROM {path.From(child)}
              WHERE {where}
              {locking}
            )
            SELECT k::text, count(*), sum(h)::text FROM found GROUP BY k
            """,
            parameters
        );
    }

    private (string Sql, NpgsqlParameter[] Parameters) Where(ChildTable child, SessionPath path, IEnumerable<string> keys)
    {
        var parameters = new SqlParameters();
        // Added first, so that it is the $1 of the condition on the keys.
        parameters.Add(_form.Parameter(keys));
        var condition = only?.Condition(child, parameters);
        return (path.All + (condition is null ? "" : $" AND {condition}"), parameters.ToArray());
    }
}
