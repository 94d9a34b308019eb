using Archiver.Core.Diagnostics;

namespace Archiver.Core.Storage;

/// <summary>The reading side of the store. Restore gets this and nothing more, so it cannot write or remove an object.</summary>
public interface IArchiveReader
{
    /// <summary>Where the objects are, for people: <c>s3://bucket</c> or a folder.</summary>
    string Location { get; }

    /// <summary>The same store, asked once where this one tries again: for a question that has no budget of its own.</summary>
    IArchiveReader Once => this;

    /// <summary>The whole object as stored, or null when it is absent (a 404 and nothing else).</summary>
    /// <exception cref="StorageException">The store did not answer, refused, or cannot be read at once.</exception>
    Task<Stream?> OpenAsync(ObjectName name, CancellationToken cancellationToken);

    /// <summary><paramref name="length"/> bytes from <paramref name="offset"/>, or null when the object is absent.</summary>
    /// <exception cref="StorageException">As for <see cref="OpenAsync"/>.</exception>
    Task<Stream?> OpenRangeAsync(ObjectName name, long offset, long length, CancellationToken cancellationToken);

    /// <summary>Length, metadata and version of an object, or null when it is absent.</summary>
    /// <exception cref="StorageException">As for <see cref="OpenAsync"/>.</exception>
    Task<ObjectHead?> HeadAsync(ObjectName name, CancellationToken cancellationToken);

    /// <summary>All current objects whose key starts with <paramref name="prefix"/>, in key order, read page by page.</summary>
    /// <exception cref="StorageException">As for <see cref="OpenAsync"/>.</exception>
    IAsyncEnumerable<ListedObject> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>
    /// All keys that start with <paramref name="prefix"/> and have a version or a delete marker, in key order, read page by page.
    /// </summary>
    /// <exception cref="StorageException">
    /// As for <see cref="OpenAsync"/>; permanent also where the permission s3:ListBucketVersions or the request itself is missing.
    /// </exception>
    IAsyncEnumerable<ListedVersions> ListVersionsAsync(string prefix, CancellationToken cancellationToken);
}
