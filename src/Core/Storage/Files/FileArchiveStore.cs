using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Spool;
using Archiver.Core.Storage.S3;

namespace Archiver.Core.Storage.Files;

/// <summary>
/// A folder as a store, with the semantics of <see cref="S3ArchiveStore"/>; the key is the relative path. The folder must exist: creating
/// it would write into an empty mount point while the disk is away.
/// <para>A put writes two temporary files in the target folder, syncs them, and gives them their names with link(2), which fails when
/// the name exists: first the sidecar <c>{key}.archiver-meta</c> with the metadata, then the object. The sidecar is the claim on the key:
/// who linked it is the only one who may link the object, so an object never stands beside another put's metadata. A crash between
/// the two leaves a claim without object, which blocks that key for others (they take the next one) and hurts nobody.</para>
/// </summary>
internal sealed class FileArchiveStore : IArchiveStore
{
    private readonly string _root;
    private readonly FileErrors _errors;
    private readonly FilePut _put;
    private readonly FileRemoval _removal;
    private readonly FileCase _case;

    /// <param name="settings">Name the folder.</param>
    /// <param name="syncFolder">
    /// Makes the names in a folder durable; null for the system's own way, which leaves no trace that a test could see.
    /// </param>
    /// <param name="isThere">
    /// Whether a file has a name; null for the system's own way, which takes two names for one file only where its file system does.
    /// </param>
    public FileArchiveStore(StorageSettings settings, Action<string>? syncFolder = null, Func<string, bool>? isThere = null)
    {
        if (string.IsNullOrEmpty(settings.Path))
            throw new StorageException(StorageFailure.Permanent, "The provider File needs a folder: set Archiver:Storage:Path.");
        _root = Path.GetFullPath(settings.Path);
        _errors = new FileErrors(_root);
        _put = new FilePut(_root, syncFolder ?? PosixFile.SyncFolder);
        _removal = new FileRemoval(_root, _errors, isThere ?? PosixFile.IsThere);
        _case = new FileCase(_root, isThere ?? PosixFile.IsThere);
    }

    /// <inheritdoc/>
    public string Location => _root;

    /// <inheritdoc/>
    public Task<Stream?> OpenAsync(ObjectName name, CancellationToken cancellationToken) =>
        OpenRangeAsync(name, 0, long.MaxValue, cancellationToken);

    /// <inheritdoc/>
    public Task<Stream?> OpenRangeAsync(ObjectName name, long offset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return RunAsync<Stream?>(() => Open(new FileKey(_root, name.Key), name, offset, length), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<ObjectHead?> HeadAsync(ObjectName name, CancellationToken cancellationToken) =>
        RunAsync(
            () =>
            {
                var key = new FileKey(_root, name.Key);
                return Existing(key, name) is { } file
                    ? new ObjectHead(
                        new ObjectName(name.Key),
                        file.Length,
                        FilePut.Metadata(key),
                        new DateTimeOffset(file.LastWriteTimeUtc)
                    )
                    : null;
            },
            cancellationToken
        );

    /// <inheritdoc/>
    public async IAsyncEnumerable<ListedObject> ListAsync(
        string prefix,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        _errors.RequireRoot();
        using var items = await RunAsync(() => FileListing.Under(_root, prefix).GetEnumerator(), cancellationToken);
        while (await RunAsync(items.MoveNext, cancellationToken))
            yield return items.Current;
    }

    /// <summary>A folder keeps one version, which has no id.</summary>
    public async IAsyncEnumerable<ListedVersions> ListVersionsAsync(
        string prefix,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (var item in ListAsync(prefix, cancellationToken))
            yield return new(item.Key, [new(null, false, item.Length, item.LastModified)]);
    }

    /// <summary>
    /// Always true: link(2) refuses a name that exists. The probe is whether names that differ in case are two; no object is written.
    /// </summary>
    public Task<bool> RefusesOverwriteAsync(string prefix, long length, CancellationToken cancellationToken) =>
        RunAsync(
            () =>
            {
                _errors.RequireRoot();
                _case.Require(prefix);
                return true;
            },
            cancellationToken
        );

    /// <inheritdoc/>
    public async Task<PutResult> PutIfAbsentAsync(
        string key,
        IObjectContent content,
        ObjectMetadata metadata,
        CancellationToken cancellationToken
    )
    {
        _errors.RequireRoot();
        try
        {
            return await _put.SendAsync(new FileKey(_root, key), content, metadata, cancellationToken);
        }
        catch (Exception e) when (_errors.Translate(e) is { } known)
        {
            throw known;
        }
    }

    /// <inheritdoc/>
    public Task<RemovalOutcome> DeleteAllVersionsAsync(IReadOnlyCollection<ObjectName> names, CancellationToken cancellationToken) =>
        RunAsync(() => _removal.Remove(names, cancellationToken), cancellationToken);

    /// <summary>None: a folder has no rules.</summary>
    public Task<IReadOnlyList<ExpiryRule>> ListExpiryRulesAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<ExpiryRule>>([]);

    /// <summary>Nothing to do: a file gets its name when it is whole.</summary>
    public Task<int> AbortUploadsAsync(
        string prefix,
        TimeSpan age,
        Func<string, CancellationToken, Task<bool>> isOurs,
        CancellationToken cancellationToken
    ) => Task.FromResult(0);

    private ObjectStream? Open(FileKey key, ObjectName name, long offset, long length)
    {
        if (Existing(key, name) is null)
            return null;
        var file = new FileStream(
            key.Object,
            new FileStreamOptions { Options = FileOptions.Asynchronous | FileOptions.SequentialScan, BufferSize = 0 }
        );
        file.Position = Math.Min(offset, file.Length);
        return new ObjectStream(file, Math.Min(length, file.Length - file.Position), _errors.Translate);
    }

    private FileInfo? Existing(FileKey key, ObjectName name)
    {
        var lowest = PosixFile.Lowest(key.Object);
        // A folder of that name is no object.
        if (lowest == key.Object)
            return new FileInfo(key.Object) is { Exists: true } file ? file : null;
        // With the whole folder away every object would look absent.
        _errors.RequireRoot();
        if (lowest != key.Folder && name.IsFolderKnown == true)
            throw FileErrors.Away(key, name);
        return null;
    }

    private Task<T> RunAsync<T>(Func<T> action, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return Task.FromResult(action());
        }
        catch (Exception e) when (e is StorageException || _errors.Translate(e) is not null)
        {
            return Task.FromException<T>(e as StorageException ?? _errors.Translate(e)!);
        }
    }
}
