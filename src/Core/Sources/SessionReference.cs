using Archiver.Core.Postgres;
using Archiver.Core.Sources.Catalog;

namespace Archiver.Core.Sources;

/// <summary>
/// A foreign key onto a mapped table that does not tie a row to its own session: while a row outside a session points to it, the server lets no row
/// of the session go.
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
    string Name, TableName From, string? FromMapped, IReadOnlyList<string> Columns, string To, IReadOnlyList<string> ToColumns, bool Indexed, bool Readable)
{
    /// <summary>Every such key of a source whose tables are all there.</summary>
    public static IReadOnlyList<SessionReference> Of(SourceCatalog catalog) => !catalog.IsComplete ? [] :
        [.. catalog.ForeignKeys.Where(k => !catalog.Map.Children.Any(c => catalog.IsLink(c, k))).Select(k => Of(catalog, k)).OfType<SessionReference>()];

    private static SessionReference? Of(SourceCatalog catalog, ForeignKeyFacts key)
    {
        // A key onto one partition only is left to the delete, which leaves out what the server refuses.
        var to = catalog.Shape.Tables.FirstOrDefault(t => catalog.Relations.Any(r => r.Mapped == t.Oid && r.Oid == key.ToOid && r.Depth <= 0));
        var from = catalog.Shape.Tables.FirstOrDefault(t => catalog.IsFamily(t, key.FromOid));
        return to is null ? null : new(key.Name, from?.Table ?? key.From, from?.Name, key.Columns, to.Name, key.ToColumns, key.Indexed, key.Readable);
    }
}
