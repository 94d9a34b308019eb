using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;

namespace Archiver.Core.Import;

/// <summary>
/// How documents with one set of tables and columns go into the tables of today. Where nothing is lost the difference is accepted; whatever
/// would lose a value is refused by name, at the latest when a row with such a value comes.
/// </summary>
internal sealed class ImportPlan
{
    private ImportPlan(IReadOnlyList<PlannedTable> tables) => Tables = tables;

    /// <summary>The session table first, then as in the document.</summary>
    public IReadOnlyList<PlannedTable> Tables { get; }

    /// <summary>Whether some column can only be compared with its staged value.</summary>
    public bool ComparesStaged => Tables.Any(t => t.Kept.Any(c => c.Conversion.ByValue));

    public PlannedTable this[string name] => Tables.First(t => t.Name == name);

    /// <summary>Makes the plan, or refuses all documents of this kind.</summary>
    /// <param name="known">Types of the document that the server knows, with their base types.</param>
    /// <param name="timeZone">Zone of the source's times without a zone.</param>
    /// <exception cref="RefusedSessionException">Some column of today needs a value that the documents do not have.</exception>
    /// <exception cref="ArchiverException">An option names a column that does not exist.</exception>
    public static ImportPlan For(
        DocumentHeader header,
        RestoreTarget target,
        DriftOptions drift,
        IReadOnlyDictionary<string, string> known,
        string timeZone
    )
    {
        List<PlannedTable> tables = [];
        foreach (var table in header.Tables)
        {
            var shape = target.Find(table.Name);
            var conversions = new ConversionChoice(target.Map, drift, known, timeZone);
            tables.Add(new(table.Name, shape, [.. table.Columns.Select(c => Plan(table, c, shape, drift, known, conversions))]));
            if (shape is not null)
                Check(tables[^1], shape, target);
        }
        if (target.Map.Session.Key.FirstOrDefault(k => tables[0].Kept.All(c => c.Target!.Name != k)) is { } key)
            throw new RefusedSessionException(
                $"no archived column goes into the key '{key}' of {target.Shape.Session.Table}; name it with --map old={key}"
            );
        return new(tables);
    }

    /// <summary>Kind by a type's name; null for a type that the document does not resolve, such as a domain.</summary>
    internal static ColumnKind? KindOf(string type)
    {
        var name = System.Text.RegularExpressions.Regex.Replace(type, @"\(\d+(,-?\d+)?\)", "");
        return name switch
        {
            "json" or "jsonb" => ColumnKind.Json,
            "smallint" or "integer" or "bigint" or "numeric" or "real" or "double precision" => ColumnKind.Number,
            "boolean" => ColumnKind.Boolean,
            "timestamp without time zone" or "timestamp with time zone" => ColumnKind.Timestamp,
            "text" or "character varying" or "character" or "uuid" or "bytea" or "date" or "interval" => ColumnKind.Text,
            _ => null,
        };
    }

    private static PlannedColumn Plan(
        DocumentTable table,
        DocumentColumn column,
        TableShape? shape,
        DriftOptions drift,
        IReadOnlyDictionary<string, string> known,
        ConversionChoice conversions
    )
    {
        var dropped = drift.IsDropped(table.Name, column.Name);
        var name = drift.NewName(table.Name, column.Name);
        var today = dropped ? null : shape?.Columns.FirstOrDefault(c => c.Name == name);
        if (name != column.Name && today is null && shape is not null && !dropped)
            throw new ArchiverException(FailureKind.Configuration, $"--map {column.Name}={name}: {shape.Table} has no column '{name}'.");
        // A domain is only a name in the document: the catalog says what is behind, if it still has it.
        var kind = KindOf(column.Type)
            ?? (
                today?.Type == column.Type ? today.Kind
                : known.TryGetValue(column.Type, out var baseType) ? TableDescriber.KindOf(baseType)
                : null
            );
        return new(
            column.Name,
            column.Type,
            kind,
            today,
            dropped,
            today is null ? ColumnConversion.None : conversions.Choose(table, column, today)
        );
    }

    private static void Check(PlannedTable table, TableShape shape, RestoreTarget target)
    {
        var twice = table.Kept.GroupBy(c => c.Target!.Name).FirstOrDefault(g => g.Count() > 1);
        if (twice is not null)
            throw new ArchiverException(
                FailureKind.Configuration,
                $"--map sends {string.Join(" and ", twice.Select(c => c.Name))} of '{table.Name}' to the same column '{twice.Key}'."
            );
        var missing = shape.Columns.FirstOrDefault(c =>
            target.Required.Contains((shape.Oid, c.Name)) && table.Kept.All(k => k.Target!.Name != c.Name)
        );
        if (missing is not null)
            throw new RefusedSessionException(
                $"column '{missing.Name}' of {shape.Table} was added since, allows no NULL and has no "
                    + $"default; give it a default, or name the archived column with --map old={missing.Name}"
            );
    }
}
