using System.Runtime.CompilerServices;
using System.Text;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Spool;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Archiver.Core.Storage;

/// <summary>
/// Repeats what failed with <see cref="StorageFailure.Transient"/>, with exponential back-off and jitter, until
/// <see cref="RetrySettings.Budget"/> has passed since the first failure of that operation; then the last failure is thrown. Anything
/// permanent passes at once. Of an object the opening is repeated, and a body that breaks off goes on where it was: both have one budget,
/// and nobody above this repeats a reading.
/// </summary>
internal sealed class ResilientArchiveStore(IArchiveStore inner, RetrySettings settings, TimeProvider time, ILogger? logger = null)
    : IArchiveStore,
        IDisposable
{
    private readonly StorageRetry _retry = new(settings, time, logger ?? NullLogger.Instance);

    /// <inheritdoc/>
    public string Location => inner.Location;

    /// <inheritdoc/>
    public IArchiveReader Once => inner;

    /// <inheritdoc/>
    public Task<Stream?> OpenAsync(ObjectName name, CancellationToken cancellationToken) =>
        OpenAsync(name, 0, ct => inner.OpenAsync(name, ct), cancellationToken);

    /// <inheritdoc/>
    public Task<Stream?> OpenRangeAsync(ObjectName name, long offset, long length, CancellationToken cancellationToken) =>
        OpenAsync(name, offset, ct => inner.OpenRangeAsync(name, offset, length, ct), cancellationToken);

    /// <inheritdoc/>
    public Task<ObjectHead?> HeadAsync(ObjectName name, CancellationToken cancellationToken) =>
        _retry.RunAsync("head", ct => inner.HeadAsync(name, ct), cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RefusesOverwriteAsync(string prefix, long length, CancellationToken cancellationToken) =>
        _retry.RunAsync("probe", ct => inner.RefusesOverwriteAsync(prefix, length, ct), cancellationToken);

    /// <inheritdoc/>
    public Task<PutResult> PutIfAbsentAsync(
        string key,
        IObjectContent content,
        ObjectMetadata metadata,
        CancellationToken cancellationToken
    ) => _retry.RunAsync("put", ct => inner.PutIfAbsentAsync(key, content, metadata, ct), cancellationToken);

    /// <inheritdoc/>
    public async Task<RemovalOutcome> DeleteAllVersionsAsync(IReadOnlyCollection<ObjectName> names, CancellationToken cancellationToken)
    {
        Dictionary<string, StorageException> failures = new(StringComparer.Ordinal);
        StorageException? outage = null;
        try
        {
            return await _retry.RunAsync("delete", RemoveLeftAsync, cancellationToken);
        }
        catch (StorageException exception) when (exception.Failure == StorageFailure.Transient && failures.ContainsValue(exception))
        {
            // The budget is spent; what is not gone is said key by key.
            return new(failures, outage);
        }

        // Again only what may pass: a locked object stays locked, and what is gone stays gone.
        async Task<RemovalOutcome> RemoveLeftAsync(CancellationToken token)
        {
            var left =
                failures.Count == 0
                    ? names
                    : [.. names.Where(n => failures.TryGetValue(n.Key, out var failure) && failure.Failure == StorageFailure.Transient)];
            var outcome = await inner.DeleteAllVersionsAsync(left, token);
            outage = outcome.Outage;
            foreach (var key in left.Select(n => n.Key))
            {
                if (outcome.Failures.TryGetValue(key, out var failure))
                    failures[key] = failure;
                else
                    failures.Remove(key);
            }
            return failures.Values.FirstOrDefault(f => f.Failure == StorageFailure.Transient) is { } again
                ? throw again
                : new(failures, null);
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<ExpiryRule>> ListExpiryRulesAsync(CancellationToken cancellationToken) =>
        _retry.RunAsync("lifecycle", inner.ListExpiryRulesAsync, cancellationToken);

    /// <inheritdoc/>
    public Task<int> AbortUploadsAsync(
        string prefix,
        TimeSpan age,
        Func<string, CancellationToken, Task<bool>> isOurs,
        CancellationToken cancellationToken
    ) => _retry.RunAsync("abort", ct => inner.AbortUploadsAsync(prefix, age, isOurs, ct), cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<ListedObject> ListAsync(string prefix, CancellationToken cancellationToken) =>
        ResumeAsync(() => inner.ListAsync(prefix, cancellationToken), item => item.Key, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<ListedVersions> ListVersionsAsync(string prefix, CancellationToken cancellationToken) =>
        ResumeAsync(() => inner.ListVersionsAsync(prefix, cancellationToken), item => item.Key, cancellationToken);

    /// <summary>A listing that fails begins again and skips what it gave already. Each step has its own budget.</summary>
    private async IAsyncEnumerable<T> ResumeAsync<T>(
        Func<IAsyncEnumerable<T>> list,
        Func<T, string> keyOf,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
        where T : class
    {
        IAsyncEnumerator<T>? items = null;
        string? last = null;
        try
        {
            while (await _retry.RunAsync("list", StepAsync, cancellationToken) is { } item)
            {
                last = keyOf(item);
                yield return item;
            }
        }
        finally
        {
            if (items is not null)
                await items.DisposeAsync();
        }

        async Task<T?> StepAsync(CancellationToken token)
        {
            items ??= list().GetAsyncEnumerator(cancellationToken);
            try
            {
                while (await items.MoveNextAsync())
                {
                    if (last is null || IsAfter(keyOf(items.Current), last))
                        return items.Current;
                }
                return null;
            }
            catch (StorageException)
            {
                await items.DisposeAsync();
                items = null;
                throw;
            }
        }
    }

    public void Dispose() => (inner as IDisposable)?.Dispose();

    private async Task<Stream?> OpenAsync(
        ObjectName name,
        long offset,
        Func<CancellationToken, Task<Stream?>> open,
        CancellationToken cancellationToken
    )
    {
        var clock = new RetryClock();
        var body = await _retry.RunAsync("open", open, cancellationToken, clock);
        // The length is the announced one, which may be less than was asked for.
        return body is ObjectStream { Length: var length }
            ? new ResumedStream(body, clock, (read, broke, ct) => ResumeAsync(name, offset + read, length - read, broke, clock, ct))
            : body;
    }

    private async Task<Stream> ResumeAsync(
        ObjectName name,
        long offset,
        long length,
        StorageException broke,
        RetryClock clock,
        CancellationToken cancellationToken
    )
    {
        // The body's failure counts as the first of these tries: it is logged, waited after and held against the budget like any other.
        var first = Task.FromException<Stream?>(broke);
        var rest = await _retry.RunAsync(
            "read",
            ct => Interlocked.Exchange(ref first, null) ?? inner.OpenRangeAsync(name, offset, length, ct),
            cancellationToken,
            clock
        );
        if (rest is ObjectStream { Length: var left } && left == length)
            return rest;
        if (rest is not null)
            await rest.DisposeAsync();
        var gone = $"'{name.Key}' went away, or another object took its place, while it was read.";
        throw new StorageException(StorageFailure.Transient, gone, broke);
    }

    // Stores list in the order of the keys' UTF-8 bytes, which is not the order of .NET's UTF-16 strings.
    private static bool IsAfter(string key, string last) =>
        Encoding.UTF8.GetBytes(key).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(last)) > 0;
}
