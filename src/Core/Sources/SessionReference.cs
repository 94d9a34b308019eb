using Archiver.Core.Settings;

namespace Archiver.Core.Sources;

/// <summary>
/// A foreign key onto a mapped table that does not tie a row to its own session: while a row outside a session points to it, the server
/// lets no row of the session go, or would change that row.
/// </summary>
/// <param name="Name">Name of the constraint.</param>
/// <param name="From">The referencing table.</param>
/// <param name="FromMapped">Its name in the map, or null where it is not mapped.</param>
/// <param name="Columns">The referencing columns.</param>
/// <param name="To">The referenced table's name in the map.</param>
/// <param name="ToColumns">The referenced columns, in the order of the others.</param>
/// <param name="Indexed">Some index finds the referencing rows.</param>
/// <param name="Readable">The role sees all rows of the referencing table.</param>
internal sealed record SessionReference(
    string Name,
    TableName From,
    string? FromMapped,
    IReadOnlyList<string> Columns,
    string To,
    IReadOnlyList<string> ToColumns,
    bool Indexed,
    bool Readable
);
