using Archiver.Core.Postgres;
using Archiver.Core.Sources;

namespace Archiver.Core.Inspection;

/// <summary>What fires, or should and does not, when rows of mapped tables are deleted.</summary>
internal static class TriggerChecks
{
    public static void Check(SourceCatalog catalog, Findings findings)
    {
        foreach (var table in catalog.Tables)
        {
            foreach (var relation in catalog.Tree(table))
                CheckTriggers(catalog, table, relation, findings);
            foreach (var rule in catalog.Rules.Where(r => r.Relation == table.Oid))
                findings.Problem(
                    $"Rule {PgIdentifier.Quote(rule.Name)} rewrites deletes of table {table.Table} ({table.Name}), so that they delete "
                        + "something else or nothing. Without it the application's own deletes would be real: let the application do what "
                        + "the rule does, and drop it then."
                );
        }
    }

    private static void CheckTriggers(SourceCatalog catalog, TableShape table, RelationFacts relation, Findings findings)
    {
        var triggers = catalog.Triggers.Where(t => t.Relation == relation.Oid).ToList();
        if (triggers.Where(t => t.IsInternal).ToList() is { Count: > 0 } disabled)
            findings.Problem(
                $"Table {relation.Table} ({table.Name}) has disabled internal triggers, so its foreign keys do not hold: "
                    + $"{string.Join(", ", disabled.Select(t => t.Name))}. Enabled again, they refuse rows that the application may write "
                    + "meanwhile, and its deletes take others along: enable them, as a superuser, where it wants that."
            );
        // Dropping the one that the partitions inherited from drops theirs.
        foreach (var trigger in triggers.Where(t => !t.IsInternal && !t.IsClone))
        {
            var name = PgIdentifier.Quote(trigger.Name);
            if (trigger.ManagesLargeObjects)
                findings.Problem(
                    $"Trigger {name} of table {relation.Table} ({table.Name}) deletes large objects together with their rows (lo_manage), "
                        + "and no archive holds those. Keep the values in a column of the table (bytea), or leave this source out."
                );
            else
                findings.Warning(
                    $"Trigger {name} of table {relation.Table} ({table.Name}) fires when rows are archived ({trigger.Kind}). "
                        + "A session is left in the database when it keeps a row or changes other rows."
                );
        }
    }
}
