using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Sources;

/// <summary>Reads a source from the system catalogs at start and before every run, and finds everything that would make a run unsafe.</summary>
internal static class SourceInspector
{
    public static async Task<Inspection> InspectAsync(NpgsqlConnection connection, SourceSettings source, CancellationToken cancellationToken)
    {
        var shape = await TableDescriber.DescribeAsync(connection, source.Map, cancellationToken).ConfigureAwait(false);
        var problems = new List<string>();
        foreach (var (name, table) in source.Map.Children.Select(c => (c.Name, c.Table)).Prepend((SourceMap.SessionName, source.Map.Session.Table)))
        {
            if (shape.Tables.All(t => t.Name != name))
                problems.Add($"Table {table} ({name}) does not exist.");
        }
        return new(shape, problems, []);
    }
}
