using Archiver.Core.Postgres;
using Archiver.Core.Sources;

namespace Archiver.Core.Inspection;

/// <summary>Whether mapped tables are ones whose row versions can be named and locked (docs/protocol.md rule 17).</summary>
internal static class RelationChecks
{
    public static void Check(SourceCatalog catalog, Findings findings)
    {
        foreach (var table in catalog.Tables)
        {
            foreach (var relation in catalog.Tree(table))
                CheckKind(table, relation, findings);
            foreach (var heir in catalog.Heirs.Where(h => h.Parent == table.Oid))
                findings.Problem(
                    $"Table {heir.Table} inherits from {table.Table} ({table.Name}) without being its partition: its rows look like rows "
                        + $"of {table.Table}, but no key or foreign key holds for them. Make it a partition, or end the inheritance once "
                        + "the application does without its rows."
                );
            if (catalog.Tables.FirstOrDefault(t => t.Oid != table.Oid && catalog.Tree(t).Any(r => r.Oid == table.Oid)) is { } whole)
                findings.Problem(
                    $"Table {table.Table} ({table.Name}) is a partition of {whole.Table} ({whole.Name}), which is mapped as "
                        + "well: its rows would be deleted twice. Take one of them out of the mapping."
                );
            CheckPersistence(catalog, table, findings);
        }
        foreach (
            var (name, relation) in catalog.Subscriptions.Select(s =>
                (s.Name, catalog.Relations.First(r => r.Oid == s.Relation && r.Depth >= 0))
            )
        )
            findings.Problem(
                $"Table {relation.Table} is written by subscription {PgIdentifier.Quote(name)}: what is deleted here would come back, or "
                    + "stop the replication. Archive on the publisher."
            );
    }

    private static void CheckKind(TableShape table, RelationFacts relation, Findings findings)
    {
        if (relation.Kind is 'v' or 'm')
            findings.Problem(
                $"{relation.Table} ({table.Name}) is a {(relation.Kind == 'v' ? "view" : "materialized view")}: map the table "
                    + "that holds the rows."
            );
        else if (relation.Kind == 'f' && relation.Depth == 0)
            findings.Problem(
                $"{relation.Table} ({table.Name}) is a foreign table, whose rows another server can change unseen: make a "
                    + "source of that server."
            );
        else if (relation.Kind == 'f')
            findings.Problem(
                $"Partition {relation.Table} of {table.Table} ({table.Name}) is a foreign table, whose rows another server can change "
                    + "unseen. Bring its rows into a local partition, or map the local partitions."
            );
        else if (relation.IsTable && relation.AccessMethod != "heap")
            findings.Problem(
                $"Table {relation.Table} ({table.Name}) has access method {PgIdentifier.Quote(relation.AccessMethod ?? "")}; only heap is "
                    + "known to give a changed row another name (ctid, xmin).",
                $"ALTER TABLE {relation.Table.Sql} SET ACCESS METHOD heap"
            );
    }

    private static void CheckPersistence(SourceCatalog catalog, TableShape table, Findings findings)
    {
        var unlogged = catalog.Tree(table).Where(r => r.IsTable && r.Unlogged).ToList();
        if (unlogged.Count == 0)
            return;
        var names = string.Join(", ", unlogged.Select(r => r.Table));
        // The server refuses to make a table durable that points to one which is not.
        var first = catalog
            .ForeignKeys.Where(k => k.ToUnlogged && catalog.IsFamily(table, k.FromOid) && !catalog.IsFamily(table, k.ToOid))
            .Select(k => k.To)
            .Distinct()
            .ToList();
        var order = first.Count == 0 ? "" : $" First {string.Join(", ", first)} must be logged, to which it points.";
        var statements = first.Count == 0 ? unlogged.Select(r => $"ALTER TABLE {r.Table.Sql} SET LOGGED") : [];
        if (catalog.Source.ReplicaConnectionString is null)
            findings.Warning(
                $"Unlogged ({table.Name}): {names}. A crash empties such a table; what was not archived before is then lost.{order}",
                statements
            );
        else
            findings.Problem(
                $"Unlogged ({table.Name}): {names}. A standby has no rows of such a table, and ReplicaConnectionString exports from "
                    + $"one.{order}",
                statements
            );
    }
}
