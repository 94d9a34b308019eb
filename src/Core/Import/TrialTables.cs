using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Import;

/// <summary>Temporary tables like the mapped ones, filled from documents and compared with the live rows by the server.</summary>
internal sealed class TrialTables(NpgsqlConnection connection, RestoreTarget target)
{
    private readonly ImportStatements _statements = new(target);
    private readonly SourceMap _trial = Trial(target);
    private readonly KeyForm _form = KeyForm.Of(target.Map, target.Shape);

    /// <summary>Keys of the sessions whose live rows and documents differ, a row more on either side included. All of one plan.</summary>
    /// <exception cref="PostgresException">A row does not load.</exception>
    public async Task<IReadOnlyCollection<string>> CompareAsync(IReadOnlyList<StagedSession> sessions, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync(_statements.CreateStaging(sessions[0].Plan), cancellationToken);
        foreach (var table in sessions[0].Plan.Tables.Where(t => t.Target is not null))
            await StagingCopy.WriteAsync(connection, _statements, table, sessions, cancellationToken);
        HashSet<string> differing = new(StringComparer.Ordinal);
        foreach (var table in target.Shape.Tables)
            differing.UnionWith(
                await connection.QueryAsync(
                    Differing(table),
                    row => row.GetString(0),
                    cancellationToken,
                    PgParameter.Texts(sessions.Select(s => s.Key))
                )
            );
        await connection.ExecuteAsync($"DROP TABLE {string.Join(", ", target.Shape.Tables.Select(target.Staging))}", cancellationToken);
        return differing;
    }

    /// <summary>
    /// Key and whole row as text, live without trial and trial without live, duplicates counted. Text, because not every type can be
    /// compared, and equal text is what the archive promises. A trial row whose parent is missing belongs to no session, and is missed on
    /// that side.
    /// </summary>
    private string Differing(TableShape table) =>
        $"""
            WITH live AS ({Rows(target.Map, table)}), trial AS ({Rows(_trial, table)})
            SELECT DISTINCT d.k FROM (
              (SELECT * FROM live EXCEPT ALL SELECT * FROM trial)
              UNION ALL
              (SELECT * FROM trial EXCEPT ALL SELECT * FROM live)) AS d
            """;

    private string Rows(SourceMap map, TableShape table)
    {
        var row = $"ROW({string.Join(", ", table.Columns.Select(c => SessionPath.Column("t", c.Name)))})::text AS r";
        var keys = KeyMatch.Among(_form, "$1");
        if (table.Name == SourceMap.SessionName)
        {
            var key = _form.Of("t");
            return $"SELECT {key}::text AS k, {row} FROM {map.Session.Sql} AS t WHERE {keys.Sql(key)}";
        }
        var child = map.Children.Single(c => c.Name == table.Name);
        var path = SessionPath.Of(map, target.Shape, child).Among(_form, "$1");
        return $"SELECT {path.Key}::text AS k, {row} FROM {path.From(child)} WHERE {path.All}";
    }

    // The map with every table replaced by its temporary one, so that the same paths lead from row to session.
    private static SourceMap Trial(RestoreTarget target) =>
        new(
            target.Map.Session with
            {
                Table = target.StagingName(target.Shape.Session),
            },
            [.. target.Map.Children.Select(c => target.Find(c.Name) is { } shape ? c with { Table = target.StagingName(shape) } : c)]
        );
}
