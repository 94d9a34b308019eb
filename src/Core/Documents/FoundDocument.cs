using System.Collections.ObjectModel;
using System.Globalization;
using Archiver.Core.Storage;

namespace Archiver.Core.Documents;

/// <summary>What one document in the bucket says, as far as the ledger wants to know it. Times are text as PostgreSQL wrote it.</summary>
internal sealed record FoundDocument
{
    public required string SessionId { get; init; }

    public required string? ExternalId { get; init; }

    public required int Generation { get; init; }

    public required string? User { get; init; }

    public required string? Created { get; init; }

    /// <summary>Values of the activity columns; the latest is the session's.</summary>
    public required string[] Activity { get; init; }

    /// <summary>The oldest and the latest time of the rows of each child.</summary>
    public required string[] Times { get; init; }

    public required long Messages { get; init; }

    public required long Rows { get; init; }

    /// <summary>First byte of its gzip member.</summary>
    public required long Offset { get; init; }

    /// <summary>Bytes of its gzip member.</summary>
    public required long Length { get; init; }

    public required long JsonLength { get; init; }

    public required byte[] JsonSha256 { get; init; }

    /// <summary>
    /// Of the rows alone, in their order: two documents with the same one hold the same session, whenever and by whom they were written.
    /// </summary>
    public required byte[] RowsSha256 { get; init; }

    /// <summary>When its rows were read, by the database's clock; null where the document does not say so.</summary>
    public DateTimeOffset? ArchivedAt =>
        DateTimeOffset.TryParse(Header.ArchivedAt, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;

    public required DocumentHeader Header { get; init; }
}

/// <summary>An object of the bucket, read to its end.</summary>
/// <param name="Key">Where it is.</param>
/// <param name="VersionId">The version read.</param>
/// <param name="Metadata">What the store keeps beside it.</param>
/// <param name="Length">Bytes of gzip.</param>
/// <param name="Sha256">Of the gzip bytes.</param>
/// <param name="Documents">The documents in it, at least one; empty where <paramref name="Problem"/> says why.</param>
/// <param name="Problem">What is wrong with it, or null.</param>
internal sealed record FoundObject(
    string Key,
    string? VersionId,
    IReadOnlyDictionary<string, string> Metadata,
    long Length,
    byte[] Sha256,
    IReadOnlyList<FoundDocument> Documents,
    string? Problem
)
{
    /// <summary>Whether the store gives it; false when nobody has seen its bytes.</summary>
    public bool IsGiven { get; private init; } = true;

    /// <summary>One of which at most its metadata was given.</summary>
    public static FoundObject NotGiven(ObjectName name, IReadOnlyDictionary<string, string>? metadata, string problem) =>
        new(name.Key, name.VersionId, metadata ?? ReadOnlyDictionary<string, string>.Empty, 0, [], [], problem) { IsGiven = false };

    /// <summary>Whether it is a bundle, by its name.</summary>
    public bool IsBundle => Key.EndsWith(".jsonl.gz", StringComparison.Ordinal);

    /// <summary>Whether its bytes are those that the ledger recorded: others say nothing of what it recorded.</summary>
    public bool IsRecordedAs(ReadOnlySpan<byte> sha256) => sha256.SequenceEqual(Sha256);

    /// <summary>Id of the ledger that recorded it, or null.</summary>
    public string? LedgerId => Metadata.GetValueOrDefault(ObjectMetadata.LedgerKey);
}
