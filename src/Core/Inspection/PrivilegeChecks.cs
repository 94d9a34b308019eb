using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Inspection;

/// <summary>
/// Whether the role may do what a run does. SELECT to export, DELETE to delete, and UPDATE on any one column for SELECT ... FOR UPDATE, on
/// leaf tables too: after a lock timeout their rows are locked to find out who holds one. LOCK TABLE needs nothing beyond these.
/// </summary>
internal static class PrivilegeChecks
{
    public static void Check(SourceCatalog catalog, Findings findings)
    {
        var role = PgIdentifier.Quote(catalog.Server.Role);
        var schemas = catalog.Tables.Select(catalog.Relation).Where(r => !r.SchemaUsage).Select(r => r.Table.Schema).Distinct();
        foreach (var schema in schemas)
            findings.Problem(
                $"Role {catalog.Server.Role} may not use schema {schema}.",
                $"GRANT USAGE ON SCHEMA {PgIdentifier.Quote(schema)} TO {role}"
            );
        foreach (var table in catalog.Tables)
        {
            if (Missing(catalog.Relation(table)) is not { Count: > 0 } missing)
                continue;
            var update = missing.Contains("UPDATE") ? "; UPDATE, on one column at least, is what locking rows needs" : "";
            findings.Problem(
                $"Role {catalog.Server.Role} lacks {string.Join(", ", missing)} on table {table.Table} ({table.Name}){update}.",
                $"GRANT {string.Join(", ", missing)} ON {table.Table.Sql} TO {role}"
            );
        }
        CheckMarks(catalog, role, findings);
        foreach (var table in catalog.Tables.Where(t => catalog.Relation(t).HidesRows))
            findings.Problem(
                $"Row level security is on for table {table.Table} ({table.Name}), and role {catalog.Server.Role} cannot bypass it: rows "
                    + $"it does not see would be missing from the archive. {RowSecurity.Advice(catalog.Server.Role)}"
            );
    }

    private static List<string> Missing(RelationFacts relation) =>
        [
            .. new[] { ("SELECT", relation.CanSelect), ("DELETE", relation.CanDelete), ("UPDATE", relation.CanLock) }
                .Where(p => !p.Item2)
                .Select(p => p.Item1),
        ];

    /// <summary>Where rows stay after they were stored, or a status is set, the session's own columns are written.</summary>
    private static void CheckMarks(SourceCatalog catalog, string role, Findings findings)
    {
        if (catalog.Table(SourceMap.SessionName) is not { } table || !catalog.Relation(table).CanLock)
            return;
        foreach (
            var column in Written(catalog)
                .Distinct()
                .Where(c => catalog.Column(table.Name, c) is not null && !catalog.Facts(table, c).Updatable)
        )
            findings.Problem(
                $"Role {catalog.Server.Role} may not update column {PgIdentifier.Quote(column)} of table {table.Table}, which a policy "
                    + "sets.",
                $"GRANT UPDATE ({PgIdentifier.Quote(column)}) ON {table.Table.Sql} TO {role}"
            );
    }

    private static IEnumerable<string> Written(SourceCatalog catalog)
    {
        var session = catalog.Map.Session;
        var policies = catalog.Source.Policies;
        var marks = policies.Any(p =>
            p.Action == PolicyAction.Archive && (p.Delete == DeleteMode.Nothing || p.DeleteAfter > TimeSpan.Zero)
        );
        var setsStatus = marks || policies.Any(p => p.Action == PolicyAction.Expire);
        return new[]
        {
            marks ? session.Archived : null,
            marks ? session.ArchiveLocation : null,
            setsStatus ? session.Status : null,
        }.OfType<string>();
    }
}
