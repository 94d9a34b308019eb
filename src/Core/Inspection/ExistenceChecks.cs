using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Inspection;

/// <summary>Whether everything that the configuration names is there.</summary>
internal static class ExistenceChecks
{
    public static void Check(SourceCatalog catalog, Findings findings)
    {
        foreach (
            var (name, table) in catalog
                .Map.Children.Select(c => (c.Name, c.Table))
                .Prepend((SourceMap.SessionName, catalog.Map.Session.Table))
                .DistinctBy(t => t.Item2)
        )
        {
            if (catalog.Table(name) is null)
                findings.Problem(
                    $"Table {table} ({name}) does not exist in database {catalog.Server.Database}: create it, or name another "
                        + $"one in the mapping of source '{catalog.Source.Name}'."
                        + (
                            name == SourceMap.SessionName
                                ? ""
                                : $" If there is none, take it out; a child of a preset goes by Tables:Children:{name}:Table null."
                        )
                );
        }
        foreach (var part in catalog.Source.Missing)
        {
            // Whoever looks again in the middle of a run goes by what was there when it began.
            if (part.Column is not null && catalog.Column(part.Table, part.Column) is not null)
            {
                findings.Problem(
                    $"Column {PgIdentifier.Quote(part.Column)} of {catalog.Map.Session.Table} came while the archiver was at work: what "
                        + $"was begun without {part.Path} does not go on. The next run goes by it."
                );
                continue;
            }
            findings.Warning(
                part.Column is null
                    ? $"There is no table for {part.Path}: the source goes without it, as its preset allows."
                    : $"Table {catalog.Map.Session.Table} has no column {PgIdentifier.Quote(part.Column)} for {part.Path}: the source goes "
                        + "without it, as its preset allows."
            );
        }
        // A column in several roles is missing once.
        foreach (var roles in MappedColumn.Of(catalog.Source).GroupBy(c => (c.Table, c.Column)))
        {
            if (catalog.Table(roles.Key.Table) is { } table && catalog.Column(table.Name, roles.Key.Column) is null)
                ReportMissing(catalog, table, roles.Key.Column, [.. roles], findings);
        }
    }

    private static void ReportMissing(SourceCatalog catalog, TableShape table, string column, List<MappedColumn> roles, Findings findings)
    {
        var names = string.Join(", ", roles.Select(r => r.Role).Distinct());
        var kept = PgIdentifier.Fit(column);
        var add = kept == column ? roles.Select(DefinitionFor).FirstOrDefault(d => d is not null) : null;
        var hint =
            kept == column
                ? "Map another one, or add it."
                : $"PostgreSQL keeps {PgIdentifier.MaxBytes} bytes of a name: map {PgIdentifier.Quote(kept)}, or another one.";
        if (add is not null && Copied(catalog, table) is { } copied)
            (add, hint) = (null, $"{hint} {copied}");
        findings.Problem(
            $"Table {table.Table} ({table.Name}) has no column {PgIdentifier.Quote(column)}, which is mapped as {names}; it has "
                + $"{string.Join(", ", table.Columns.Select(c => c.Name))}. {hint}",
            add is null ? [] : [$"ALTER TABLE {table.Table.Sql} ADD COLUMN {PgIdentifier.Quote(column)} {add}"]
        );
    }

    /// <summary>Why a column cannot just be added to a table; null where it can.</summary>
    public static string? Copied(SourceCatalog catalog, TableShape table) =>
        catalog.Relation(table).CopiesRows
            ? "A trigger copies whole rows of the table: with one column more it fails, and the application with it. Add the column "
                + "together with one where they are copied to."
            : null;

    // Old rows stay NULL in a new time column: unknown, so never eligible. A key cannot be invented.
    private static string? DefinitionFor(MappedColumn column) =>
        column.Use switch
        {
            ColumnUse.Time when column.Form == TimeForm.Timestamp => "timestamptz",
            ColumnUse.Text => "text",
            ColumnUse.Flag => "boolean NOT NULL DEFAULT false",
            _ => null,
        };
}
