using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Import;

/// <summary>Chooses how a column's archived values become values of today's type.</summary>
/// <param name="known">Types of the document that the server knows, with their base types; no other becomes part of a statement.</param>
/// <param name="timeZone">Zone of the source's times without a zone.</param>
internal sealed class ConversionChoice(SourceMap map, DriftOptions drift, IReadOnlyDictionary<string, string> known, string timeZone)
{
    /// <exception cref="ArchiverException">A loss was accepted where nothing can be converted.</exception>
    public ColumnConversion Choose(DocumentTable table, DocumentColumn column, ColumnShape today)
    {
        var (archived, accepted) = (column.Type, drift.IsAccepted(table.Name, column.Name));
        if (
            today.Type == archived
            || (IsString(today.Type) && IsString(archived) && !accepted)
            || !known.TryGetValue(archived, out var archivedBase)
        )
            return accepted && today.Type != archived
                ? throw Cannot(column, $"the server does not know its type '{DocumentReader.Shorten(archived)}'")
                : ColumnConversion.None;
        var key = table.Name == SourceMap.SessionName ? map.Session.Key : map.Children.Single(c => c.Name == table.Name).Key;
        if (accepted && (key is null || key.Contains(today.Name)))
            throw Cannot(
                column,
                key is null ? $"no key of '{table.Name}' is mapped, by which its rows could be compared" : "it is the key"
            );
        if (ColumnConversion.CrossesZones(archivedBase, today.BaseType))
            return ColumnConversion.Zoned(archivedBase, archived, today.BaseType, today.Type, timeZone, accepted);
        if (accepted)
            return ColumnConversion.Accepted(archived, today.Type);
        return (archivedBase, today.BaseType, key) is ("json", "jsonb", not null)
            ? ColumnConversion.Json(archived, today.Type)
            : ColumnConversion.Cast(archived, today.Type);
    }

    private static ArchiverException Cannot(DocumentColumn column, string reason) =>
        new(FailureKind.Configuration, $"--accept-loss {DocumentReader.Shorten(column.Name)}: {reason}.");

    private static bool IsString(string type) => type == "text" || type.StartsWith("character varying", StringComparison.Ordinal);
}
