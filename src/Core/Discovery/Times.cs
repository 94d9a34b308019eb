using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Discovery;

/// <summary>Finds columns that hold times: by their type, or by their name and a sample of their values.</summary>
internal sealed class Times(DatabaseFacts facts)
{
    /// <summary>The columns whose values must be looked at: named like a time, and of a type that is none.</summary>
    public static IEnumerable<FoundColumn> Unsure(FoundTable table) =>
        table.Columns.Where(c => (c.IsNumber || c.IsText) && Named.Contains(Words.Plain(c.Name)));

    /// <summary>The time columns of these names, in their order.</summary>
    public IReadOnlyList<TimeColumn> Of(FoundTable table, IReadOnlyList<string> names) =>
        [.. names.SelectMany(n => table.Columns.Where(c => Words.Plain(c.Name) == n)).Select(c => Of(table, c)).OfType<TimeColumn>()];

    /// <summary>The time column of the first of these names that there is.</summary>
    public TimeColumn? First(FoundTable table, IReadOnlyList<string> names) => Of(table, names) is [var first, ..] ? first : null;

    /// <summary>The column as a time, or null where it is none, or nobody can tell.</summary>
    public TimeColumn? Of(FoundTable table, FoundColumn column) =>
        column.IsTime ? new(column.Name)
        : Sample(table, column.Name)?.Form is { } form && (form == TimeForm.Text) == column.IsText ? new(column.Name) { As = form }
        : null;

    /// <summary>Whether some rows have no value, as far as the sample tells.</summary>
    public bool HasUnset(FoundTable table, FoundColumn column) =>
        Sample(table, column.Name) is { } sample ? sample.Set < sample.Rows : !column.NotNull;

    private ValueSample? Sample(FoundTable table, string column) => facts.Values.GetValueOrDefault((table.Table, column));

    private static readonly HashSet<string> Named =
    [
        .. Vocabulary.Activity,
        .. Vocabulary.Written,
        .. Vocabulary.Ended,
        .. Vocabulary.Deleted,
        .. Vocabulary.Expires,
    ];
}
