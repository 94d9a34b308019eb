namespace Archiver.Core.Settings;

/// <summary>How the values of a column are times.</summary>
public enum TimeForm
{
    /// <summary>The column is a date or a timestamp.</summary>
    Timestamp,

    /// <summary>Seconds since 1970, as a number of any type.</summary>
    EpochSeconds,

    EpochMilliseconds,

    EpochMicroseconds,

    /// <summary>ISO 8601, such as <c>2026-11-29T16:45:31.123Z</c>.</summary>
    Text,

    /// <summary>The time inside a UUID of version 1, 6 or 7.</summary>
    Uuid,

    /// <summary>Inside a UUID of version 6 only: these sort by their time, so an index on the column finds the old ones.</summary>
    UuidV6,

    UuidV7,
}

/// <summary>
/// A column that says when something happened. A value that is <em>not set</em> is no time: NULL, of numbers 0 and below, of texts the
/// empty one.
/// </summary>
/// <param name="Column">The column; where <see cref="At"/> is given, a boolean.</param>
public sealed record TimeColumn(string Column)
{
    public TimeForm As { get; init; }

    /// <summary>Counts where <see cref="Column"/> is not set; a column of the same type.</summary>
    public string? Or { get; init; }

    /// <summary>Since when <see cref="Column"/>, a flag, has been true.</summary>
    public string? At { get; init; }

    /// <summary>A date or timestamp and nothing else.</summary>
    public bool IsPlain => this is { As: TimeForm.Timestamp, Or: null, At: null };

    /// <summary>The column that holds the times.</summary>
    public string Times => At ?? Column;

    /// <summary>The columns that it names.</summary>
    public IEnumerable<string> Columns => new[] { Column, Or, At }.OfType<string>();

    /// <summary>The forms by the names that configuration has for them.</summary>
    public static IReadOnlyDictionary<string, TimeForm> Forms { get; } =
        new Dictionary<string, TimeForm>(StringComparer.OrdinalIgnoreCase)
        {
            ["epoch-s"] = TimeForm.EpochSeconds,
            ["epoch-ms"] = TimeForm.EpochMilliseconds,
            ["epoch-us"] = TimeForm.EpochMicroseconds,
            ["text"] = TimeForm.Text,
            ["uuid"] = TimeForm.Uuid,
            ["uuid-v6"] = TimeForm.UuidV6,
            ["uuid-v7"] = TimeForm.UuidV7,
        };

    public static implicit operator TimeColumn(string column) => new(column);

    /// <summary>As a person reads it; a plain column is its name.</summary>
    public override string ToString() =>
        Column
        + (Or is null ? "" : $" or {Or}")
        + (At is null ? "" : $" at {At}")
        + (As == TimeForm.Timestamp ? "" : $" ({Forms.First(f => f.Value == As).Key})");
}
