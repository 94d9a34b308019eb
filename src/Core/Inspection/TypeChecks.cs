using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Inspection;

/// <summary>
/// Whether columns can hold what their roles mean. No statement changes the type of a column that the application writes: that would break
/// it.
/// </summary>
internal static class TypeChecks
{
    public static async Task CheckAsync(SourceCatalog catalog, AdviceProbe probe, Findings findings, CancellationToken cancellationToken)
    {
        foreach (var mapped in MappedColumn.Of(catalog.Source).DistinctBy(c => (c.Table, c.Column, c.Use, c.Form, c.Like)))
        {
            if (catalog.Column(mapped.Table, mapped.Column) is not { } column || Expected(mapped) is not { } expected)
                continue;
            var table = catalog.Table(mapped.Table)!;
            var name = $"Column {PgIdentifier.Quote(column.Name)} ({mapped.Role}) of table {table.Table} is {column.Type}";
            if (!expected.Contains(column.BaseType))
                await ReportAsync(table, column, mapped, $"{name}, and must be one of {string.Join(", ", expected)}");
            else if (mapped.Like is { } like && catalog.Column(mapped.Table, like) is { } first && first.BaseType != column.BaseType)
                findings.Problem(
                    $"{name}, and {PgIdentifier.Quote(like)}, for which it stands in where that is not set, is {first.Type}: "
                        + $"no index could serve both. Map another one, or list both under {nameof(SessionTable.Activity)}."
                );
        }

        async Task ReportAsync(TableShape table, ColumnShape column, MappedColumn mapped, string says)
        {
            if (
                mapped.Use == ColumnUse.Time
                && mapped.Form != TimeForm.Timestamp
                && Expected(mapped with { Form = TimeForm.Timestamp })!.Contains(column.BaseType)
            )
                findings.Problem($"{says}: take As away, dates and timestamps are times as they are.");
            else if (
                mapped.Use == ColumnUse.Time
                && (column.Kind == ColumnKind.Number || Expected(mapped with { Form = TimeForm.Uuid })!.Contains(column.BaseType))
            )
                findings.Problem(
                    $"{says}, unless it is said how its values are times: {await FormAsync(table, column)}. Leave the column "
                        + "as the application writes it."
                );
            else
                ReportOther(table, column, mapped, says);
        }

        async Task<string> FormAsync(TableShape table, ColumnShape column) =>
            await probe.TimeFormAsync(table.Table, column, cancellationToken) is { } form
                ? $$"""map it as { "Column": "{{column.Name}}", "As": "{{form}}" }"""
                : $$"""map it as { "Column": "{{column.Name}}", "As": ... } with one of {{Forms(column)}}""";

        static string Forms(ColumnShape column) =>
            string.Join(
                ", ",
                TimeColumn.Forms.Keys.Where(f => f.StartsWith("epoch", StringComparison.Ordinal) == (column.Kind == ColumnKind.Number))
            );

        void ReportOther(TableShape table, ColumnShape column, MappedColumn mapped, string says)
        {
            var (addition, definition) = Beside(table, mapped, column);
            if (definition is not null && ExistenceChecks.Copied(catalog, table) is { } copied)
                (addition, definition) = ($"{addition}. {copied.TrimEnd('.')}", null);
            findings.Problem(
                $"{says}. Leave it as the application writes it, and map another one{addition}.",
                definition is null ? [] : [$"ALTER TABLE {table.Table.Sql} ADD COLUMN {definition}"]
            );
        }
    }

    private static string[]? Expected(MappedColumn column) =>
        (column.Use, column.Form) switch
        {
            (ColumnUse.Time, TimeForm.Timestamp) => ["timestamp with time zone", "timestamp without time zone", "date"],
            (ColumnUse.Time, TimeForm.Text) => ["text", "character varying", "character"],
            (ColumnUse.Time, TimeForm.Uuid or TimeForm.UuidV6 or TimeForm.UuidV7) => ["uuid", "text", "character varying", "character"],
            (ColumnUse.Time, _) => ["bigint", "integer", "smallint", "numeric", "double precision", "real"],
            (ColumnUse.Flag or ColumnUse.Since, _) => ["boolean"],
            (ColumnUse.Text, _) => ["text", "character varying"],
            _ => null,
        };

    /// <summary>A column to map instead, for the archiver's own marks, beside the one that the application goes on writing.</summary>
    private static (string Says, string? Definition) Beside(TableShape table, MappedColumn mapped, ColumnShape column)
    {
        var (suffix, type) = mapped.Use switch
        {
            ColumnUse.Flag => ("_flag", "boolean NOT NULL DEFAULT false"),
            ColumnUse.Text => ("_text", "text"),
            _ => ("", null),
        };
        if (type is null)
            return ("", null);
        var name = PgIdentifier.Fit(column.Name, suffix);
        // Followed already: what is left is to map it.
        if (table.Columns.FirstOrDefault(c => c.Name == name) is { } beside && Expected(mapped)!.Contains(beside.BaseType))
            return ($", such as {name}, which stands beside it already", null);
        while (table.Columns.Any(c => c.Name == name))
            name = PgIdentifier.Fit(column.Name, suffix += "_");
        return ($", such as {name} beside it", $"{PgIdentifier.Quote(name)} {type}");
    }
}
