using Archiver.Core.Postgres;
using Archiver.Core.Sources;

namespace Archiver.Core.Import;

/// <summary>Where the rows of one table of a document go.</summary>
/// <param name="Name">Its name in the document and the map.</param>
/// <param name="Target">The table today; null when it is gone or no longer mapped.</param>
/// <param name="Columns">The document's columns in their order.</param>
internal sealed record PlannedTable(string Name, TableShape? Target, IReadOnlyList<PlannedColumn> Columns)
{
    /// <summary>Columns that are compared with the database, all of them read back after the insert.</summary>
    public IReadOnlyList<PlannedColumn> Kept { get; } = [.. Columns.Where(c => c.Target is not null)];

    /// <summary>Columns that the restore writes; generated ones are the database's to compute, and only compared.</summary>
    public IReadOnlyList<PlannedColumn> Written { get; } = [.. Columns.Where(c => c.Target is { Generated: false })];

    /// <summary>Columns whose type is another one today, for messages.</summary>
    public IEnumerable<PlannedColumn> Retyped => Kept.Where(c => c.Type != c.Target!.Type);
}

/// <summary>A column of a document and where its values go.</summary>
/// <param name="Name">Name in the document.</param>
/// <param name="Type">Type in the document.</param>
/// <param name="Kind">How its values stand in the document; null where nobody knows any more: a domain that is gone.</param>
/// <param name="Target">The column today; null when it is gone or given up.</param>
/// <param name="IsDropped">Given up with <c>--drop-column</c>: its values are ignored instead of refused.</param>
/// <param name="Conversion">How its values become values of the column today.</param>
internal sealed record PlannedColumn(
    string Name,
    string Type,
    ColumnKind? Kind,
    ColumnShape? Target,
    bool IsDropped,
    ColumnConversion Conversion
);
