using Archiver.Core.Postgres;
using Archiver.Core.Sources;

namespace Archiver.Core.Inspection;

/// <summary>Whether columns can hold what their roles mean.</summary>
internal static class TypeChecks
{
    public static void Check(SourceCatalog catalog, Findings findings)
    {
        foreach (var mapped in MappedColumn.Of(catalog.Source).DistinctBy(c => (c.Table, c.Column, c.Use)))
        {
            if (catalog.Column(mapped.Table, mapped.Column) is not { } column || Expected(mapped.Use) is not { } expected || expected.Contains(column.BaseType))
                continue;
            var table = catalog.Table(mapped.Table)!;
            var (addition, definition) = Beside(table, mapped.Use, column);
            findings.Problem(
                $"Column {PgIdentifier.Quote(column.Name)} ({mapped.Role}) of table {table.Table} is {column.Type}, and must be one of {string.Join(", ", expected)}. Leave it as the application writes it, and map another one{addition}.",
                definition is null ? [] : [$"ALTER TABLE {table.Table.Sql} ADD COLUMN {definition}"]);
        }
    }

    private static string[]? Expected(ColumnUse use) => use switch
    {
        ColumnUse.Time => ["timestamp with time zone", "timestamp without time zone", "date"],
        ColumnUse.Flag => ["boolean"],
        ColumnUse.Text => ["text", "character varying"],
        _ => null,
    };

    /// <summary>
    /// A column to map instead, beside the one that the application goes on writing: to change the type of that would break it, and 0, which stands for
    /// "not set" where numbers are times, would become 1970. Numbers are taken for seconds since 1970, large ones for milliseconds.
    /// </summary>
    private static (string Says, string? Definition) Beside(TableShape table, ColumnUse use, ColumnShape column)
    {
        var (suffix, type) = (use, column.Kind) switch
        {
            (ColumnUse.Time, ColumnKind.Number) => ("time", "timestamptz GENERATED ALWAYS AS (to_timestamp(CASE WHEN abs({0}) > 100000000000 THEN nullif({0}, 0) / 1000.0 ELSE nullif({0}, 0) END)) STORED"),
            (ColumnUse.Flag, _) => ("flag", "boolean NOT NULL DEFAULT false"),
            (ColumnUse.Text, _) => ("text", "text"),
            _ => ("", null),
        };
        if (type is null)
            return ("", null);
        suffix = $"_{suffix}";
        var name = PgIdentifier.Fit(column.Name, suffix);
        // Followed already: what is left is to map it.
        if (table.Columns.FirstOrDefault(c => c.Name == name) is { } beside && Expected(use)!.Contains(beside.BaseType))
            return ($", such as {name}, which stands beside it already", null);
        while (table.Columns.Any(c => c.Name == name))
            name = PgIdentifier.Fit(column.Name, suffix += "_");
        var rewrites = type.Contains("GENERATED", StringComparison.Ordinal) ? ", which the server computes (adding it rewrites the table under a lock)" : "";
        return ($", such as {name} beside it{rewrites}", $"{PgIdentifier.Quote(name)} {type.Replace("{0}", PgIdentifier.Quote(column.Name), StringComparison.Ordinal)}");
    }
}
