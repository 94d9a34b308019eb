using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Archiver.Core.Diagnostics;
using Archiver.Core.Storage;

namespace Archiver.Core.Ownership;

/// <summary>
/// What lies under the keys of objects that are to be removed. A removal takes every version of a key, so each of them is asked whose it
/// is: one may be somebody else's, put over ours or where ours had gone. One of another length than the ledger recorded is not what the
/// ledger means: somebody may have moved another archive over it, of which it is the only copy then.
/// </summary>
internal sealed class RemovalCheck(IArchiveReader store, ObjectOwner owner)
{
    /// <summary>
    /// What an object is that must not be removed, or null, by key; of what is not there in any version nothing is said. Many at once.
    /// </summary>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task<IReadOnlyDictionary<string, string?>> WhyKeptAsync(
        IEnumerable<(ObjectName Name, long Length)> recorded,
        int concurrency,
        CancellationToken cancellationToken
    )
    {
        var found = new ConcurrentDictionary<string, string?>(StringComparer.Ordinal);
        var options = new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(recorded, options, async (old, token) =>
        {
            await foreach (var head in HeadsAsync(old.Name, token))
                found[old.Name.Key] = found.GetValueOrDefault(old.Name.Key)
                    ?? await WhyForeignAsync(head, token)
                    ?? WhyAnother(head, old.Length);
        });
        return found;
    }

    private async Task<string?> WhyForeignAsync(ObjectHead head, CancellationToken cancellationToken) =>
        await owner.WhyForeignAsync(head, cancellationToken) is { } reason ? $"not this database's: {reason}" : null;

    private static string? WhyAnother(ObjectHead head, long length) =>
        head.Length == length
            ? null
            : $"not what the ledger recorded: {(head.Name.VersionId is { } version ? $"version {version}" : "it")} is of {head.Length} "
                + $"bytes and not of {length}, so it may be another archive, and its only copy. Move it away, or remove it yourself";

    /// <summary>Every version that the store has, and what it gives by name although it does not list it.</summary>
    private async IAsyncEnumerable<ObjectHead> HeadsAsync(ObjectName name, [EnumeratorCancellation] CancellationToken cancellationToken)
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
