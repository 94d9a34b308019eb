using Archiver.Core.Sources;

namespace Archiver.Core.Inspection;

/// <summary>Finds the keys onto mapped tables that do not tie a row to its own session.</summary>
internal static class SessionReferences
{
    /// <summary>Every such key of a source whose tables are all there.</summary>
    public static IReadOnlyList<SessionReference> Of(SourceCatalog catalog) =>
        !catalog.IsComplete
            ? []
            :
            [
                .. catalog
                    // By the key of a child that is some rows of its table the other rows point into sessions, too.
                    .ForeignKeys.Where(k => !catalog.Map.Children.Any(c => c.Where.Count == 0 && catalog.IsLink(c, k)))
                    .Select(k => Of(catalog, k))
                    .OfType<SessionReference>(),
            ];

    /// <summary>What one key is to the sessions; null where it is none of their matter, or onto one partition alone.</summary>
    public static SessionReference? Of(SourceCatalog catalog, ForeignKeyFacts key)
    {
        // A key onto one partition only is left to the delete, which leaves out what the server refuses.
        var to = catalog.Tables.FirstOrDefault(t => catalog.Relations.Any(r => r.Mapped == t.Oid && r.Oid == key.ToOid && r.Depth <= 0));
        var from = catalog.Tables.FirstOrDefault(t => catalog.IsFamily(t, key.FromOid));
        return to is null
            ? null
            : new(key.Name, from?.Table ?? key.From, from?.Name, key.Columns, to.Name, key.ToColumns, key.Indexed, key.Readable);
    }
}
