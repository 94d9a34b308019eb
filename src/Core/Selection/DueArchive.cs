using Archiver.Core.Storage;

namespace Archiver.Core.Selection;

/// <summary>A stored session whose rows are due to be deleted, as the ledger has it.</summary>
internal sealed record DueArchive
{
    /// <summary>Its row in <c>archiver.archives</c>.</summary>
    public required long Id { get; init; }

    /// <summary>For the export: what is deleted is what is exported again now.</summary>
    public required SelectedSession Session { get; init; }

    public string Key => Session.Key;

    public required long ObjectId { get; init; }

    public required ObjectName Object { get; init; }

    /// <summary>Bytes of the whole object.</summary>
    public required long ObjectLength { get; init; }

    /// <summary>SHA-256 of the whole object.</summary>
    public required byte[] ObjectSha256 { get; init; }

    /// <summary>First byte of the session's gzip member.</summary>
    public required long Offset { get; init; }

    /// <summary>Bytes of the session's gzip member.</summary>
    public required long Length { get; init; }

    public required long JsonLength { get; init; }

    public required byte[] JsonSha256 { get; init; }

    /// <summary>The row versions after the mark, as JSON by table.</summary>
    public required string Fingerprints { get; init; }

    /// <summary>What the mark replaced, as JSON; null where nothing was marked.</summary>
    public required string? Mark { get; init; }

    /// <summary>Columns of the session row that the mark's own update changed: the only ones in which row and copy may differ.</summary>
    public required IReadOnlyList<string> Marked { get; init; }
}
