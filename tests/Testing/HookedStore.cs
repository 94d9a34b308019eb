using Archiver.Core.Diagnostics;
using Archiver.Core.Spool;
using Archiver.Core.Storage;

namespace Archiver.Testing;

/// <summary>A real store with a hook at the moments between export and delete, where other people's transactions strike.</summary>
public sealed class HookedStore(IArchiveStore inner) : IArchiveStore
{
    private int _firstPut;

    /// <summary>Runs once, before the first upload: the export is over, nothing is deleted yet.</summary>
    public Func<Task> BeforeFirstPut { get; set; } = () => Task.CompletedTask;

    /// <summary>Runs after each upload, with its key.</summary>
    public Func<string, Task> AfterPut { get; set; } = _ => Task.CompletedTask;

    /// <summary>Runs before each whole object is read, with its key.</summary>
    public Func<string, Task> BeforeOpen { get; set; } = _ => Task.CompletedTask;

    /// <summary>Runs before what is kept beside an object is read, with its key; of several objects at the same time.</summary>
    public Func<string, Task> BeforeHead { get; set; } = _ => Task.CompletedTask;

    /// <summary>Runs before each removal, with its key.</summary>
    public Func<string, Task> BeforeDelete { get; set; } = _ => Task.CompletedTask;

    /// <summary>Objects that ranged reads find absent.</summary>
    public Predicate<ObjectName> HidesRangesOf { get; set; } = _ => false;

    /// <summary>The store without hooks.</summary>
    public IArchiveStore Inner => inner;

    public string Location => inner.Location;

    public async Task<PutResult> PutIfAbsentAsync(
        string key,
        IObjectContent content,
        ObjectMetadata metadata,
        CancellationToken cancellationToken
    )
    {
        if (Interlocked.Exchange(ref _firstPut, 1) == 0)
            await BeforeFirstPut();
        var result = await inner.PutIfAbsentAsync(key, content, metadata, cancellationToken);
        await AfterPut(key);
        return result;
    }

    public Task<bool> RefusesOverwriteAsync(string prefix, long length, CancellationToken cancellationToken) =>
        inner.RefusesOverwriteAsync(prefix, length, cancellationToken);

    public async Task<RemovalOutcome> DeleteAllVersionsAsync(IReadOnlyCollection<ObjectName> names, CancellationToken cancellationToken)
    {
        Dictionary<string, StorageException> failures = [];
        StorageException? outage = null;
        foreach (var name in names)
        {
            try
            {
                await BeforeDelete(name.Key);
                await inner.DeleteAllVersionsAsync(name, cancellationToken);
            }
            catch (StorageException exception)
            {
                failures[name.Key] = exception;
                if (exception.Failure == StorageFailure.Transient)
                    outage ??= exception;
            }
        }
        return new(failures, outage);
    }

    public Task<IReadOnlyList<ExpiryRule>> ListExpiryRulesAsync(CancellationToken cancellationToken) =>
        inner.ListExpiryRulesAsync(cancellationToken);

    public Task<int> AbortUploadsAsync(
        string prefix,
        TimeSpan age,
        Func<string, CancellationToken, Task<bool>> isOurs,
        CancellationToken cancellationToken
    ) => inner.AbortUploadsAsync(prefix, age, isOurs, cancellationToken);

    public async Task<Stream?> OpenAsync(ObjectName name, CancellationToken cancellationToken)
    {
        await BeforeOpen(name.Key);
        return await inner.OpenAsync(name, cancellationToken);
    }

    public async Task<Stream?> OpenRangeAsync(ObjectName name, long offset, long length, CancellationToken cancellationToken) =>
        HidesRangesOf(name) ? null : await inner.OpenRangeAsync(name, offset, length, cancellationToken);

    public async Task<ObjectHead?> HeadAsync(ObjectName name, CancellationToken cancellationToken)
    {
        await BeforeHead(name.Key);
        return await inner.HeadAsync(name, cancellationToken);
    }

    public IAsyncEnumerable<ListedObject> ListAsync(string prefix, CancellationToken cancellationToken) =>
        inner.ListAsync(prefix, cancellationToken);

    public IAsyncEnumerable<ListedVersions> ListVersionsAsync(string prefix, CancellationToken cancellationToken) =>
        inner.ListVersionsAsync(prefix, cancellationToken);
}
