using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Sources;

/// <summary>Rows of a child whose parent row is gone, as a schema without foreign keys allows.</summary>
internal static class OrphanRows
{
    /// <summary>How many there are. A row that names no parent is none.</summary>
    public static Task<long> CountAsync(NpgsqlConnection connection, SourceMap map, ChildTable child, CancellationToken cancellationToken)
    {
        var parent = child.Parent == SourceMap.SessionName ? map.Session.Sql : map.Children.Single(c => c.Name == child.Parent).Table.Sql;
        var key = SessionPath.Column("t", child.ForeignKey);
        var parentKey = SessionPath.Column("p", child.ParentKey);
        // Compared for equality, which the server can hash: of two large tables it would look through one for each row of the other.
        var keys = child.Cast is { } type ? $"unnest({LinkCast.Values(type, parentKey)})" : parentKey;
        return connection.ScalarAsync<long>(
            $"""
            SELECT count(*) FROM {child.Table.Sql} AS t
            WHERE {string.Join(" AND ", SessionPath.RowsOf(child, "t").Prepend($"{key} IS NOT NULL"))}
              AND NOT EXISTS (SELECT FROM (SELECT {keys} AS id FROM {parent} AS p) AS k WHERE k.id = {key})
            """, cancellationToken);
    }
}
