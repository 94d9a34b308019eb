using System.Runtime.CompilerServices;
using Archiver.Core.Diagnostics;
using Archiver.Core.Spool;
using Archiver.Core.Storage;

namespace Archiver.Core.Tests.Storage;

/// <summary>A store that fails as often as it is told, then works. Counts what it was asked.</summary>
internal sealed class FailingStore(params Exception[] failures) : IArchiveStore
{
    private readonly Queue<Exception> _failures = new(failures);

    public int Calls { get; private set; }

    /// <summary>Keys of every listing; a failure comes after <see cref="FailListingAfter"/> of them.</summary>
    public string[] Keys { get; init; } = [];

    public int FailListingAfter { get; init; }

    public Action BeforeEachCall { get; init; } = () => { };

    public string Location => "test";

    /// <summary>The object from this byte on; null when it is absent.</summary>
    public Func<long, Stream?> Body { get; init; } = _ => Stream.Null;

    public Task<Stream?> OpenAsync(ObjectName name, CancellationToken cancellationToken) => OpenRangeAsync(name, 0, 0, cancellationToken);

    public Task<Stream?> OpenRangeAsync(ObjectName name, long offset, long length, CancellationToken cancellationToken) =>
        CallAsync(() => Body(offset));

    public Task<ObjectHead?> HeadAsync(ObjectName name, CancellationToken cancellationToken) => AnswerAsync<ObjectHead?>(null);

    public Task<bool> RefusesOverwriteAsync(string prefix, long length, CancellationToken cancellationToken) => AnswerAsync(true);

    public Task<PutResult> PutIfAbsentAsync(
        string key,
        IObjectContent content,
        ObjectMetadata metadata,
        CancellationToken cancellationToken
    ) => AnswerAsync(new PutResult(true, "v1"));

    /// <summary>What each removal but the last answers about its keys.</summary>
    public Queue<RemovalOutcome> Removals { get; init; } = new();

    /// <summary>Keys of every removal.</summary>
    public List<string> Removed { get; } = [];

    public Task<RemovalOutcome> DeleteAllVersionsAsync(IReadOnlyCollection<ObjectName> names, CancellationToken cancellationToken)
    {
        Removed.Add(string.Join(' ', names.Select(n => n.Key)));
        return AnswerAsync(Removals.TryDequeue(out var outcome) ? outcome : new(new Dictionary<string, StorageException>(), null));
    }

    public Task<IReadOnlyList<ExpiryRule>> ListExpiryRulesAsync(CancellationToken cancellationToken) =>
        AnswerAsync<IReadOnlyList<ExpiryRule>>([]);

    public Task<int> AbortUploadsAsync(
        string prefix,
        TimeSpan age,
        Func<string, CancellationToken, Task<bool>> isOurs,
        CancellationToken cancellationToken
    ) => AnswerAsync(1);

    public async IAsyncEnumerable<ListedObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Calls++;
        await Task.Yield();
        for (var i = 0; i < Keys.Length; i++)
        {
            if (i == FailListingAfter && _failures.TryDequeue(out var failure))
                throw failure;
            yield return new ListedObject(Keys[i], 1, default);
        }
    }

    public async IAsyncEnumerable<ListedVersions> ListVersionsAsync(
        string prefix,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (var item in ListAsync(prefix, cancellationToken))
            yield return new(item.Key, [new("v1", false, item.Length, default)]);
    }

    private Task<T> AnswerAsync<T>(T answer) => CallAsync(() => answer);

    private async Task<T> CallAsync<T>(Func<T> answer)
    {
        Calls++;
        await Task.Yield();
        BeforeEachCall();
        return _failures.TryDequeue(out var failure) ? throw failure : answer();
    }
}
