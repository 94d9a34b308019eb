using Archiver.Core.Postgres;
using Archiver.Core.Sources.Catalog;

namespace Archiver.Core.Sources.Checks;

/// <summary>
/// Foreign keys onto mapped tables, judged one by one (PROTOCOL.md rule 16). A key that ties a child to its parent as the map does only
/// reaches rows that were deleted before; any other that cascades or sets something changes rows that were not archived.
/// </summary>
internal static class ForeignKeyChecks
{
    public static void Check(SourceCatalog catalog, Findings findings)
    {
        // Against a mapping that names what is not there, the application's own keys would look like strangers.
        if (!catalog.Map.Children.All(c => IsTable(catalog, c.Name, c.ForeignKey) && IsTable(catalog, c.Parent, c.ParentKey)))
            return;
        foreach (var key in catalog.ForeignKeys.Where(k => IsOntoMapped(catalog, k) && !catalog.Map.Children.Any(c => IsLink(catalog, c, k))))
        {
            if (Action(key.OnDelete) is { } action)
                findings.Problem(
                    $"Foreign key {PgIdentifier.Quote(key.Name)} of table {key.From} onto {key.To} is ON DELETE {action}: deleting an archived row would change rows of {key.From} that were not archived.",
                    Replacement(key));
            if (!key.Indexed)
                findings.Warning(
                    $"No index serves foreign key {PgIdentifier.Quote(key.Name)} of table {key.From} onto {key.To}: every row deleted from {key.To} reads the whole of {key.From}.",
                    key.FromPartitioned ? $"CREATE INDEX ON {key.From.Sql} ({Columns(key.Columns)})" : $"CREATE INDEX CONCURRENTLY ON {key.From.Sql} ({Columns(key.Columns)})");
        }
        foreach (var child in catalog.Map.Children)
            WarnOfMissingKey(catalog, child, findings);
    }

    private static bool IsOntoMapped(SourceCatalog catalog, ForeignKeyFacts key) => catalog.Shape.Tables.Any(t => catalog.IsFamily(t, key.ToOid));

    private static bool IsTable(SourceCatalog catalog, string table, string column) =>
        catalog.Column(table, column) is not null && catalog.Relation(catalog.Table(table)!).Kind is 'r' or 'p' or 'f';

    /// <summary>Whether a key ties a child to its parent by the mapped columns, or by those and more: then it never reaches further than the map.</summary>
    private static bool IsLink(SourceCatalog catalog, ChildTable child, ForeignKeyFacts key) =>
        catalog.IsFamily(catalog.Table(child.Name)!, key.FromOid) && catalog.IsFamily(catalog.Table(child.Parent)!, key.ToOid) && key.Ties(child.ForeignKey, child.ParentKey);

    private static void WarnOfMissingKey(SourceCatalog catalog, ChildTable child, Findings findings)
    {
        var (from, to) = (catalog.Table(child.Name)!, catalog.Table(child.Parent)!);
        // A key of one partition alone leaves the others without.
        var whole = catalog.Relations.Where(r => r.Mapped == from.Oid && r.Depth <= 0).Select(r => r.Oid).ToHashSet();
        if (catalog.ForeignKeys.Any(k => whole.Contains(k.FromOid) && IsLink(catalog, child, k)))
            return;
        var partitioned = catalog.Relation(from).Kind == 'p';
        findings.Warning(
            $"Table {from.Table} ({from.Name}) has no foreign key from {PgIdentifier.Quote(child.ForeignKey)} to {PgIdentifier.Quote(child.ParentKey)} of {to.Table}: late messages of an archived session become orphan rows. They are not lost; archiver reconcile lists them.",
            $"ALTER TABLE {from.Table.Sql} ADD FOREIGN KEY ({PgIdentifier.Quote(child.ForeignKey)}) REFERENCES {to.Table.Sql} ({PgIdentifier.Quote(child.ParentKey)}){(partitioned ? "" : " NOT VALID")}");
    }

    /// <summary>The same key without its action. NOT VALID first, so that the table is not locked while its rows are checked; partitioned tables cannot do that.</summary>
    private static IEnumerable<string> Replacement(ForeignKeyFacts key)
    {
        var name = PgIdentifier.Quote(key.Name);
        var clauses = (key.MatchFull ? " MATCH FULL" : "")
            + (Action(key.OnUpdate) is { } update ? $" ON UPDATE {update}" : "")
            + (key.Deferrable ? " DEFERRABLE" : "")
            + (key.Deferred ? " INITIALLY DEFERRED" : "")
            + (key.FromPartitioned ? "" : " NOT VALID");
        yield return $"ALTER TABLE {key.From.Sql} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} FOREIGN KEY ({Columns(key.Columns)}) REFERENCES {key.To.Sql} ({Columns(key.ToColumns)}){clauses}";
        if (key.Validated && !key.FromPartitioned)
            yield return $"ALTER TABLE {key.From.Sql} VALIDATE CONSTRAINT {name}";
    }

    private static string Columns(IEnumerable<string> names) => string.Join(", ", names.Select(PgIdentifier.Quote));

    private static string? Action(char code) => code switch
    {
        'c' => "CASCADE",
        'n' => "SET NULL",
        'd' => "SET DEFAULT",
        _ => null,
    };
}
