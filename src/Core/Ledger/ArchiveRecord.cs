namespace Archiver.Core.Ledger;

/// <summary>A row of <c>archiver.archives</c> as it is written. Times are PostgreSQL's own text.</summary>
internal sealed record ArchiveRecord
{
    public required string SessionId { get; init; }

    public required string? ExternalId { get; init; }

    public required int Generation { get; init; }

    /// <summary><c>archived</c>, <c>stored</c> or <c>abandoned</c>.</summary>
    public required string State { get; init; }

    public required string? User { get; init; }

    public required string? Created { get; init; }

    public required string? FirstActivity { get; init; }

    public required string? LastActivity { get; init; }

    public required long Messages { get; init; }

    public required long Rows { get; init; }

    public required long ObjectId { get; init; }

    public required long Offset { get; init; }

    public required long Length { get; init; }

    public required long JsonLength { get; init; }

    public required byte[] JsonSha256 { get; init; }

    /// <summary>JSON by table name.</summary>
    public required string Fingerprints { get; init; }

    /// <summary>JSON object of the columns named in Keep, or null.</summary>
    public required string? Keep { get; init; }

    /// <summary>JSON of what a mark on the session row replaced, or null.</summary>
    public string? Mark { get; init; }

    /// <summary>Some messages of a session that lives on; all records of a batch are, or none.</summary>
    public bool IsPart { get; init; }

    /// <summary>Why it was abandoned; null otherwise.</summary>
    public string? Reason { get; init; }
}
