namespace Archiver.Core.Storage;

/// <summary>An object as the ledger names it: the key, and the version where the bucket keeps versions.</summary>
/// <param name="Key">The key, without the bucket.</param>
/// <param name="VersionId">The version that reads must name, or null in a bucket without versions.</param>
public sealed record ObjectName(string Key, string? VersionId = null);

/// <summary>What the store says of an object.</summary>
public sealed record ObjectHead(ObjectName Name, long Length, IReadOnlyDictionary<string, string> Metadata, DateTimeOffset LastModified);

/// <summary>One entry of a listing.</summary>
public sealed record ListedObject(string Key, long Length, DateTimeOffset LastModified);
