using Archiver.Core.Settings;

namespace Archiver.Core.Sources;

/// <summary>SQL that finds rows outside a session which point into it.</summary>
internal sealed class ReferenceSql(SourceMap map, SourceShape shape)
{
    /// <summary>True where some row points to a row of the session.</summary>
    /// <param name="reference">The key by which it points.</param>
    /// <param name="key">The session's key; an alias other than t, r, p1, s0.</param>
    /// <param name="outside">Where the referencing table is mapped: which sessions' rows count, as a condition over their key.</param>
    public string Exists(SessionReference reference, SessionKey key, Func<SessionKey, string> outside)
    {
        var (to, from) = (
            Rows(reference.To),
            reference.FromMapped is { } mapped ? Rows(mapped) : (From: $"{reference.From.Sql} AS t", Conditions: [], Key: null)
        );
        var referenced = string.Join(", ", reference.ToColumns.Select((c, i) => $"{SessionPath.Column("t", c)} AS c{i}"));
        var points = reference.Columns.Select((c, i) => $"{SessionPath.Column("t", c)} = r.c{i}");
        IEnumerable<string> counts = from.Key is null ? [] : [outside(from.Key)];
        return $"""
            EXISTS (
              SELECT FROM (SELECT {referenced} FROM {to.From} WHERE {string.Join(" AND ", [.. to.Conditions, to.Key!.Is(key)])}) AS r
              WHERE EXISTS (SELECT FROM {from.From} WHERE {string.Join(" AND ", [.. from.Conditions, .. points, .. counts])}))
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

    private (string From, IReadOnlyList<string> Conditions, SessionKey? Key) Rows(string table)
    {
        if (table == SourceMap.SessionName)
            return ($"{map.Session.Sql} AS t", [], shape.KeyOf(map, "t"));
        var child = map.Children.Single(c => c.Name == table);
        var path = SessionPath.Of(map, shape, child, ownType: true);
        return (path.From(child), path.Conditions, path.Key);
    }
}
