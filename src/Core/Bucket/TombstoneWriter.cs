using System.Security.Cryptography;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Storage;

namespace Archiver.Core.Bucket;

/// <summary>
/// Writes tombstones, before anything of what they name is destroyed: an erasure that dies half-way is then known to be one, and cannot be
/// undone by a restore. Two writers of one name write the same.
/// </summary>
internal sealed class TombstoneWriter(IArchiveStore store, SourceSettings source, DatabaseIdentity database, Guid run, int concurrency)
{
    private TombstoneKey? _key;

    /// <summary>Puts the tombstones of sessions and users.</summary>
    /// <exception cref="StorageException">One could not be stored: nothing may be erased then.</exception>
    public async Task<IReadOnlyList<Buried>> WriteAsync(
        IReadOnlyCollection<string> sessions,
        IEnumerable<string> users,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var key = _key ??= await OpenKeyAsync(cancellationToken);
        var erasedAt = DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds() + 1);
        string NameOf(char kind, string id) => new Tombstone(kind, key.HashOf(kind, source.Name, id), erasedAt).Name;
        List<Buried> tombstones =
        [
            .. sessions.Select(s => new Buried(s, NameOf(Tombstone.Session, s))),
            .. users.Select(u => new Buried(null, NameOf(Tombstone.User, u))),
        ];
        var options = new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(tombstones, options, async (tombstone, token) =>
            await PutAsync(Tombstone.Folder(source.Prefix) + tombstone.Name, GzipText.Of("""{"format":"archiver.tombstone/1"}"""), token)
        );
        return tombstones;
    }

    // Read back: where a server ignores the condition, another one's key may have come first.
    private async Task<TombstoneKey> OpenKeyAsync(CancellationToken cancellationToken)
    {
        if (await TombstoneKey.ReadAsync(store, source.Prefix, cancellationToken) is { } known)
            return known;
        await foreach (var listed in store.ListAsync(Tombstone.Folder(source.Prefix), cancellationToken))
            throw new ArchiverException(
                FailureKind.Refused,
                $"{listed.Key} is there, and the key of the tombstones is not: with a new key "
                    + $"they would mean nothing. Put {TombstoneKey.ObjectKey(source.Prefix)} back from a backup of the bucket."
            );
        await PutAsync(TombstoneKey.ObjectKey(source.Prefix), TombstoneKey.Create().ToContent(), cancellationToken);
        return await TombstoneKey.ReadAsync(store, source.Prefix, cancellationToken)
            ?? throw new StorageException(
                StorageFailure.Transient,
                $"{TombstoneKey.ObjectKey(source.Prefix)} was stored and is not there."
            );
    }

    private async Task PutAsync(string key, GzipText content, CancellationToken cancellationToken)
    {
        var metadata = new ObjectMetadata
        {
            LedgerId = database.LedgerId,
            SystemId = database.SystemId,
            Database = database.Database,
            Source = source.Name,
            Run = run.ToString(),
            Attempt = RandomNumberGenerator.GetHexString(32, lowercase: true),
        };
        await store.RefusesOverwriteAsync(source.Prefix, content.Length, cancellationToken);
        await store.PutIfAbsentAsync(key, content, metadata, cancellationToken);
    }
}

/// <summary>A tombstone that was written.</summary>
/// <param name="Session">The session that it covers; null for a user's.</param>
/// <param name="Name">Of its object within the folder.</param>
internal sealed record Buried(string? Session, string Name);
