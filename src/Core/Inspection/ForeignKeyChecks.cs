using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Inspection;

/// <summary>
/// Foreign keys onto mapped tables, judged one by one (docs/protocol.md rule 16). A key that ties a child to its parent as the map does
/// only reaches rows that were deleted before, and one among the rows of sessions reaches those that go together; any other that cascades
/// or sets something changes rows that were not archived.
/// </summary>
internal static class ForeignKeyChecks
{
    public static void Check(SourceCatalog catalog, Findings findings)
    {
        if (!catalog.IsComplete)
            return;
        foreach (
            var key in catalog.ForeignKeys.Where(k => IsOntoMapped(catalog, k) && !catalog.Map.Children.Any(c => catalog.IsLink(c, k)))
        )
        {
            if (Action(key.OnDelete) is { } action && !GoesWithSessions(catalog, key))
                findings.Problem(
                    $"Foreign key {PgIdentifier.Quote(key.Name)} of table {key.From} onto {key.To} is ON DELETE {action}: deleting an "
                        + $"archived row would change rows of {key.From} that were not archived. {Unmapped(catalog, key)} the "
                        + "application's own deletes need it as it is, unless they clear these rows first: only then can the key do "
                        + "without its action."
                );
            if (!key.Indexed)
                findings.Warning(
                    $"No index serves foreign key {PgIdentifier.Quote(key.Name)} of table {key.From} onto {key.To}: every row deleted from "
                        + $"{key.To} reads the whole of {key.From}.",
                    key.FromPartitioned
                        ? $"CREATE INDEX ON {key.From.Sql} ({Columns(key.Columns)})"
                        : $"CREATE INDEX CONCURRENTLY ON {key.From.Sql} ({Columns(key.Columns)})"
                );
        }
        foreach (var table in SessionReferences.Of(catalog).Where(r => !r.Readable).Select(r => r.From).Distinct())
            findings.Warning(
                $"Role {catalog.Server.Role} may not read table {table}, whose rows point to archived rows: a session that one of them "
                    + "needs is found out only after it was stored.",
                $"GRANT SELECT ON {table.Sql} TO {PgIdentifier.Quote(catalog.Server.Role)}"
            );
        // Onto keys that merely occur there can be none.
        foreach (var child in catalog.Map.Children.Where(c => catalog.Map.Session.HasRow || c.Parent != SourceMap.SessionName))
            WarnOfMissingKey(catalog, child, findings);
    }

    /// <summary>
    /// Only rows of sessions point by it, so selection sees each that is not going, and leaves out what it points to. Those that go all go
    /// in one statement, after which the key's action finds nothing to change; what comes in between the guard finds (rules 11, 12, 16).
    /// </summary>
    private static bool GoesWithSessions(SourceCatalog catalog, ForeignKeyFacts key) =>
        SessionReferences.Of(catalog, key)?.FromMapped is { } from
        && catalog.Tree(catalog.Table(from)!).Any(r => r.Oid == key.FromOid)
        // Rows of such a table are no session's.
        && !(
            catalog.Map.Children.FirstOrDefault(c => c.Name == from) is { } child
            && SessionPath.Upwards(catalog.Map, child).Any(u => u.Table.Where.Count > 0)
        )
        && !MessagesGoAlone(catalog);

    private static bool MessagesGoAlone(SourceCatalog catalog) => catalog.Source.Policies.Any(p => p.Scope == PurgeScope.Messages);

    private static string Unmapped(SourceCatalog catalog, ForeignKeyFacts key) =>
        !catalog.Tables.Any(t => catalog.IsFamily(t, key.FromOid))
            ? $"Map {key.From} as a child where its rows belong to the session. Else mind that"
        : MessagesGoAlone(catalog) ? "With Scope: Messages rows of a session go while others stay: leave such policies out, or mind that"
        : "Mind that";

    private static bool IsOntoMapped(SourceCatalog catalog, ForeignKeyFacts key) => catalog.Tables.Any(t => catalog.IsFamily(t, key.ToOid));

    private static void WarnOfMissingKey(SourceCatalog catalog, ChildTable child, Findings findings)
    {
        var (from, to) = (catalog.Table(child.Name)!, catalog.Table(child.Parent)!);
        // A key of one partition alone leaves the others without.
        var whole = catalog.Relations.Where(r => r.Mapped == from.Oid && r.Depth <= 0).Select(r => r.Oid).ToHashSet();
        if (catalog.ForeignKeys.Any(k => whole.Contains(k.FromOid) && catalog.IsLink(child, k)))
            return;
        // No statement: an application that writes a message before its session, or deletes a session before its messages, would fail with
        // a key.
        findings.Warning(
            $"Table {from.Table} ({from.Name}) has no foreign key from {child.ForeignKey.Sql} to {child.ParentKey.Sql} of {to.Table}: late "
                + "messages of an archived session become orphan rows. They are not lost; archiver reconcile lists them. A key would "
                + "refuse "
                + "them, and with them an application that writes a message before its session or deletes a session before its messages: "
                + "add one only where yours does neither."
        );
    }

    private static string Columns(IEnumerable<string> names) => string.Join(", ", names.Select(PgIdentifier.Quote));

    private static string? Action(char code) =>
        code switch
        {
            'c' => "CASCADE",
            'n' => "SET NULL",
            'd' => "SET DEFAULT",
            _ => null,
        };
}
