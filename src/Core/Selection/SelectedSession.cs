namespace Archiver.Core.Selection;

/// <summary>One session that a policy takes. Times are PostgreSQL's own text, so that BC dates and microseconds pass unchanged.</summary>
internal sealed record SelectedSession
{
    /// <summary>The session key as text.</summary>
    public required string Key { get; init; }

    public string? ExternalId { get; init; }

    public string? User { get; init; }

    public string? Created { get; init; }

    public string? LastActivity { get; init; }

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
}
