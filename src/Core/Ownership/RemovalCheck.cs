using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Archiver.Core.Diagnostics;
using Archiver.Core.Storage;

namespace Archiver.Core.Ownership;

/// <summary>
/// What lies under the keys of objects that are to be removed. A removal takes every version of a key, so each of them is asked whose it
/// is: one may be somebody else's, put over ours or where ours had gone.
/// </summary>
internal sealed class RemovalCheck(IArchiveReader store, ObjectOwner owner)
{
    /// <summary>
    /// Why an object must not be removed, or null, by key; of what is not there in any version there is nothing to say. Many at once.
    /// </summary>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task<IReadOnlyDictionary<string, string?>> WhyKeptAsync(
        IEnumerable<ObjectName> names,
        int concurrency,
        CancellationToken cancellationToken
    )
    {
        var found = new ConcurrentDictionary<string, string?>(StringComparer.Ordinal);
        var options = new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(names, options, async (name, token) =>
        {
            await foreach (var head in HeadsAsync(name, token))
                found[name.Key] = found.GetValueOrDefault(name.Key) ?? await owner.WhyForeignAsync(head, token);
        });
        return found;
    }

    /// <summary>Every version that the store has, and what it gives by name although it does not list it.</summary>
    private async IAsyncEnumerable<ObjectHead> HeadsAsync(
        ObjectName name,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var versions = await new AllObjects(store).VersionsAsync(name.Key, cancellationToken);
        HashSet<ObjectName> seen = [];
        foreach (var asked in versions.Prepend(new(name.Key)).Prepend(name))
        {
            // The key alone may give a version that was asked for by its id.
            if (
                seen.Add(asked)
                && await store.HeadAsync(asked, cancellationToken) is { } head
                && (head.Name == asked || seen.Add(head.Name))
            )
            {
                yield return head;
            }
        }
    }
}
