using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Sources;

/// <summary>Rows of a child whose parent row is gone, as a schema without foreign keys allows.</summary>
internal static class OrphanRows
{
    /// <summary>How many there are. A row that names no parent is none.</summary>
    public static Task<long> CountAsync(
        NpgsqlConnection connection,
        SourceMap map,
        SourceShape shape,
        ChildTable child,
        CancellationToken cancellationToken
    )
    {
        var parent = child.Parent == SourceMap.SessionName ? map.Session.Sql : map.Children.Single(c => c.Name == child.Parent).Table.Sql;
        var named = child.ForeignKey.Select(c => $"{SessionPath.Column("t", c)} IS NOT NULL");
        // Compared for equality, which the server can hash: of two large tables it would look through one for each row of the other.
        string Keys() => LinkCast.Values(child, shape, SessionPath.Column("p", child.ParentKey[0]));
        var tied = child.Cast is null
            ? $"FROM {parent} AS p WHERE {SessionPath.Link(shape, child, "t", "p")}"
            : $"FROM (SELECT unnest({Keys()}) AS id FROM {parent} AS p) AS k WHERE k.id = {SessionPath.Column("t", child.ForeignKey[0])}";
        return connection.ScalarAsync<long>(
            $"""
            SELECT count(*) FROM {child.Table.Sql} AS t
            WHERE {string.Join(" AND ", named.Concat(SessionPath.RowsOf(child, "t")))}
              AND NOT EXISTS (SELECT {tied})
            """,
            cancellationToken
        );
    }
}
