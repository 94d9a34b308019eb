using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Inspection;

/// <summary>
/// For verbs that read the mapped tables without an inspection, because they must also work on a source that no run would take.
/// </summary>
internal static class MappedTables
{
    /// <summary>
    /// Refuses where a mapped table or column is gone, or hidden by row security: what is there would be read as all that there is.
    /// </summary>
    /// <returns>The source by the optional parts that are there.</returns>
    /// <exception cref="ArchiverException">It is; nothing was read. Kind Refused.</exception>
    public static async Task<SourceSettings> RequireAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        CancellationToken cancellationToken
    )
    {
        source = await OptionalParts.OfNowAsync(connection, source, cancellationToken);
        var shape = await TableDescriber.DescribeAsync(connection, source.Map, cancellationToken);
        var there = shape.Tables.ToDictionary(t => t.Name, StringComparer.Ordinal);
        var missing = source
            .Map.Children.Select(c => (c.Name, c.Table))
            .Prepend((SourceMap.SessionName, source.Map.Session.Table))
            .DistinctBy(t => t.Item2)
            .Where(t => !there.ContainsKey(t.Item1))
            .Select(t => $"table {t.Item2}")
            .Concat(
                MappedColumn
                    .Of(source)
                    .Where(c => there.TryGetValue(c.Table, out var table) && table.Columns.All(x => x.Name != c.Column))
                    .Select(c => $"column {PgIdentifier.Quote(c.Column)} of {there[c.Table].Table}")
                    .Distinct()
            );
        if (string.Join(", ", missing) is { Length: > 0 } names)
            throw new ArchiverException(
                FailureKind.Refused,
                $"The mapping of source '{source.Name}' names what does not exist: {names}. It was dropped or renamed: archiver plan says "
                    + "all that is missing, and what to do. Nothing was changed."
            );
        await RowSecurity.RequireAllRowsAsync(connection, source, cancellationToken);
        return source;
    }
}
