namespace Archiver.Core.Selection;

/// <summary>One session that a policy takes. Times are PostgreSQL's own text, so that BC dates and microseconds pass unchanged.</summary>
internal sealed record SelectedSession
{
    /// <summary>The session key as text.</summary>
    public required string Key { get; init; }

    public string? ExternalId { get; init; }

    public string? User { get; init; }

    public string? Created { get; init; }

    /// <summary>The youngest of its activity columns and its messages' times; null where a column is unknown.</summary>
    public string? LastActivity { get; init; }

    /// <summary>The same in seconds, to compare with.</summary>
    public double LastActivityEpoch { get; init; } = double.PositiveInfinity;

    /// <summary><c>yyyy/MM</c> of the creation, or of the oldest activity where creation is unknown: part of the object key.</summary>
    public required string Month { get; init; }

    /// <summary>1 for the first archive of the session; earlier attempts count too.</summary>
    public required int Generation { get; init; }

    /// <summary>Columns named in Keep, as a JSON object; null when none are.</summary>
    public string? Keep { get; init; }

    /// <summary>Rows of all its tables when it was selected.</summary>
    public required long Rows { get; init; }

    /// <summary>Rows of the child named messages when it was selected.</summary>
    public long Messages { get; init; }

    /// <summary>About how many bytes its values have as text.</summary>
    public required long Bytes { get; init; }

    /// <summary>The session with the time of a message, if that is younger than what its own columns say.</summary>
    public SelectedSession WithActivity(string? time, double epoch) =>
        time is not null && LastActivity is not null && epoch > LastActivityEpoch ? this with { LastActivity = time, LastActivityEpoch = epoch } : this;
}
