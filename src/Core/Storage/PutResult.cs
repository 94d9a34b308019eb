namespace Archiver.Core.Storage;

/// <summary>What became of a put.</summary>
/// <param name="Stored">False when another object is under the key already; nothing was written.</param>
/// <param name="VersionId">The version written, where the bucket keeps versions.</param>
public sealed record PutResult(bool Stored, string? VersionId)
{
    /// <summary>Another object is under the key.</summary>
    public static PutResult AlreadyExists { get; } = new(false, null);
}
