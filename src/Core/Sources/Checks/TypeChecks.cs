using Archiver.Core.Postgres;
using Archiver.Core.Sources.Catalog;

namespace Archiver.Core.Sources.Checks;

/// <summary>Whether columns can hold what their roles mean.</summary>
internal static class TypeChecks
{
    public static void Check(SourceCatalog catalog, Findings findings)
    {
        foreach (var mapped in MappedColumn.Of(catalog.Source).DistinctBy(c => (c.Table, c.Column, c.Use)))
        {
            if (catalog.Column(mapped.Table, mapped.Column) is not { } column || Expected(mapped.Use) is not { } expected || expected.Contains(column.BaseType))
                continue;
            var (table, name) = (catalog.Table(mapped.Table)!.Table, PgIdentifier.Quote(column.Name));
            findings.Problem(
                $"Column {name} ({mapped.Role}) of table {table} is {column.Type}, and must be one of {string.Join(", ", expected)}. Map another one, or change its type.",
                $"ALTER TABLE {table.Sql} ALTER COLUMN {name} TYPE {expected[0]} USING {Conversion(mapped.Use, column, name)}");
        }
    }

    private static string[]? Expected(ColumnUse use) => use switch
    {
        ColumnUse.Time => ["timestamp with time zone", "timestamp without time zone", "date"],
        ColumnUse.Flag => ["boolean"],
        ColumnUse.Text => ["text", "character varying"],
        _ => null,
    };

    /// <summary>Numbers are taken for seconds since 1970, large ones for milliseconds.</summary>
    private static string Conversion(ColumnUse use, ColumnShape column, string name) => (use, column.Kind) switch
    {
        (ColumnUse.Time, ColumnKind.Number) => $"to_timestamp(CASE WHEN {name} > 100000000000 THEN {name} / 1000.0 ELSE {name} END)",
        (ColumnUse.Time, _) => $"{name}::text::timestamptz",
        (ColumnUse.Flag, _) => $"({name} IS NOT NULL)",
        _ => $"{name}::text",
    };
}
