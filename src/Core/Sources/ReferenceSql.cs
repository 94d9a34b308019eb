using Archiver.Core.Settings;

namespace Archiver.Core.Sources;

/// <summary>SQL that finds rows outside a session which point into it.</summary>
internal sealed class ReferenceSql(SourceMap map, SourceShape shape)
{
    /// <summary>True where some row points to a row of the session.</summary>
    /// <param name="reference">The key by which it points.</param>
    /// <param name="key">The session's key; an alias other than t, r, o, p1, s0.</param>
    /// <param name="outside">
    /// Where the referencing table is mapped: which sessions' rows count, as a condition over their key. Of a row of no session the key is
    /// NULL, and the condition must be true: nothing takes such a row.
    /// </param>
    public string Exists(SessionReference reference, SessionKey key, Func<SessionKey, string> outside)
    {
        var to = Rows(reference.To);
        var (from, owner) = reference.FromMapped is { } mapped ? AllRows(mapped) : ($"{reference.From.Sql} AS t", null);
        var referenced = string.Join(", ", reference.ToColumns.Select((c, i) => $"{SessionPath.Column("t", c)} AS c{i}"));
        var points = reference.Columns.Select((c, i) => $"{SessionPath.Column("t", c)} = r.c{i}");
        IEnumerable<string> counts = owner is null ? [] : [outside(owner)];
        return $"""
            EXISTS (
              SELECT FROM (SELECT {referenced} FROM {to.From} WHERE {string.Join(" AND ", [.. to.Conditions, to.Key.Is(key)])}) AS r
              WHERE EXISTS (SELECT FROM {from} WHERE {string.Join(" AND ", [.. points, .. counts])}))
            """;
    }

    /// <summary>
    /// Which of the sessions in $1, a text array, rows of other sessions, of none, or of tables that are not mapped point to; null where
    /// none can.
    /// </summary>
    public string? Among()
    {
        var form = KeyForm.Of(map, shape);
        var found = shape
            .References.Where(r => r.Readable)
            .Select(r =>
                $"SELECT k.id::text FROM unnest($1::{form.Type}[]) AS k (id) WHERE "
                + $"{Exists(r, form.Parse("k.id"), other => $"({other} = ANY ($1::{form.Type}[])) IS NOT TRUE")}"
            )
            .ToList();
        return found.Count == 0 ? null : string.Join("\nUNION\n", found);
    }

    /// <summary>The rows of sessions.</summary>
    private (string From, IReadOnlyList<string> Conditions, SessionKey Key) Rows(string table)
    {
        if (table == SourceMap.SessionName)
            return ($"{map.Session.Sql} AS t", [], shape.KeyOf(map, "t"));
        var child = map.Children.Single(c => c.Name == table);
        var path = SessionPath.Of(map, shape, child, ownType: true);
        return (path.From(child), path.Conditions, path.Key);
    }

    /// <summary>
    /// All rows of a table, with the key of their session. One whose parent it does not name, or is not there, or that is none of the
    /// child's, has a key of NULLs: left out, it would keep its session in the database and out of everybody's sight.
    /// </summary>
    private (string From, SessionKey Owner) AllRows(string table)
    {
        if (table == SourceMap.SessionName)
            return ($"{map.Session.Sql} AS t", shape.KeyOf(map, "t"));
        var child = map.Children.Single(c => c.Name == table);
        var path = SessionPath.Of(map, shape, child, ownType: true);
        var values = path.Key.Values.Select((v, i) => $"{v} AS k{i}");
        var parents = path.Joins.Count == 0 ? "" : $" FROM {string.Join(", ", path.Joins)}";
        var conditions = string.Join(" AND ", path.Conditions.DefaultIfEmpty("true"));
        return (
            $"{child.Sql} AS t LEFT JOIN LATERAL (SELECT {string.Join(", ", values)}{parents} WHERE {conditions}) AS o ON true",
            KeyForm.Of(map, shape).Of([.. path.Key.Values.Select((_, i) => $"o.k{i}")])
        );
    }
}
