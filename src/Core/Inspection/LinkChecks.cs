using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Inspection;

/// <summary>Whether a child's foreign key columns compare with those of its parent.</summary>
internal static class LinkChecks
{
    public static void Check(SourceCatalog catalog, ChildTable child, Findings findings)
    {
        foreach (var (column, key) in child.ForeignKey.Zip(child.ParentKey))
        {
            if (catalog.Column(child.Name, column) is { } from && catalog.Column(child.Parent, key) is { } to)
                Check(catalog, child, from, to, findings);
        }
    }

    private static void Check(SourceCatalog catalog, ChildTable child, ColumnShape from, ColumnShape to, Findings findings)
    {
        var (table, parent) = (catalog.Table(child.Name)!, catalog.Table(child.Parent)!);
        var (fromFacts, toFacts) = (catalog.Facts(table, from.Name), catalog.Facts(parent, to.Name));
        var pair = $"Column {PgIdentifier.Quote(from.Name)} (ForeignKey) of table {table.Table} ({table.Name})";
        var compared = child.Cast ?? to.BaseType;
        if (IsCitext(from) || IsCitext(to))
            findings.Problem(
                $"{pair} is {from.Type}, and {PgIdentifier.Quote(to.Name)} of {parent.Table} is {to.Type}: to citext keys are equal that "
                    + "differ in capitals, and the archiver would leave rows behind that it takes for another's. Map columns of another "
                    + "type."
            );
        else if (KeyMatch.Family(from.BaseType) != KeyMatch.Family(compared))
            findings.Problem(
                $"{pair} is {from.Type}, which does not compare with {PgIdentifier.Quote(to.Name)} of {parent.Table}, which is "
                    + $"{to.Type}{(child.Cast is null ? "" : $" and cast to {child.Cast}")}. {OfOneType(from)}"
            );
        else if (child.Cast is not null && KeyMatch.Family(from.BaseType) == KeyMatch.Family(to.BaseType))
            findings.Problem(
                $"{pair} is {from.Type}, as is {PgIdentifier.Quote(to.Name)} of {parent.Table}: take Cast away, with which no "
                    + "key of the server would show."
            );
        else if (!fromFacts.Deterministic || (fromFacts.Collation is { } own && toFacts.Collation is { } other && own != other))
            findings.Problem(
                $"{pair} has collation {fromFacts.Collation}, which does not compare with {PgIdentifier.Quote(to.Name)} of {parent.Table}, "
                    + $"which has {toFacts.Collation ?? "the default"}. Map columns of one collation."
            );
    }

    // It is in whatever schema the extension is.
    private static bool IsCitext(ColumnShape column) =>
        column.BaseType == "citext" || column.BaseType.EndsWith(".citext", StringComparison.Ordinal);

    private static string OfOneType(ColumnShape from) =>
        LinkCast.Types.FirstOrDefault(t => KeyMatch.Family(t) == KeyMatch.Family(from.BaseType)) is { } cast
            ? $"Where they hold the same ids, say so with \"Cast\": \"{cast}\"; else map columns of one type."
            : "Map columns of one type.";
}
