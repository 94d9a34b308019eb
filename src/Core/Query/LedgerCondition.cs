namespace Archiver.Core.Query;

/// <summary>
/// Plain conditions on the ledger's columns that hold for every row of an answer. Sessions without an archive that fulfils them all cannot
/// contribute, so their objects need not be fetched. Texts are exact; times are a little wider than what was asked.
/// </summary>
internal sealed record LedgerCondition
{
    public static LedgerCondition None { get; } = new();

    /// <summary>Values that a column has, by its name in the views; a column that is not here may have any.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Texts { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>Bounds of a column of times, both included, by its name in the views.</summary>
    public IReadOnlyDictionary<string, (DateTimeOffset? From, DateTimeOffset? To)> Times { get; init; } =
        new Dictionary<string, (DateTimeOffset? From, DateTimeOffset? To)>();

    public bool IsNone => Texts.Count == 0 && Times.Count == 0;

    /// <summary>The values of a column, or null.</summary>
    public IReadOnlyList<string>? Of(string column) => Texts.GetValueOrDefault(column);

    /// <summary>The bounds of a column, open where there is none.</summary>
    public (DateTimeOffset? From, DateTimeOffset? To) TimesOf(string column) => Times.GetValueOrDefault(column);

    /// <summary>Both conditions.</summary>
    public LedgerCondition And(string column, IReadOnlyList<string> values) =>
        this with
        {
            Texts = new Dictionary<string, IReadOnlyList<string>>(Texts)
            {
                [column] = Of(column) is { } known ? [.. known.Intersect(values, StringComparer.Ordinal)] : values,
            },
        };

    /// <summary>Both conditions.</summary>
    public LedgerCondition And(string column, DateTimeOffset? from, DateTimeOffset? to)
    {
        var (low, high) = TimesOf(column);
        return this with
        {
            Times = new Dictionary<string, (DateTimeOffset? From, DateTimeOffset? To)>(Times)
            {
                [column] = (low > from ? low : from ?? low, high < to ? high : to ?? high),
            },
        };
    }
}
