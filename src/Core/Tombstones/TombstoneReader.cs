using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Archiver.Core.Sources;
using Archiver.Core.Storage;

namespace Archiver.Core.Tombstones;

/// <summary>Reads what was erased. Everything that could bring a session back asks it first, and in doubt nothing comes back.</summary>
internal sealed class TombstoneReader(IArchiveReader store)
{
    /// <summary>What says that a session cannot come back.</summary>
    public const string Refusal = "it was erased on request and does not come back";

    /// <summary>All tombstones of a source.</summary>
    /// <exception cref="ArchiverException">There are some, and their key is missing or damaged: nobody can tell what was erased.</exception>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task<TombstoneSet> LoadAsync(SourceSettings source, CancellationToken cancellationToken)
    {
        var folder = Tombstone.Folder(source.Prefix);
        List<Tombstone> found = [];
        await foreach (var listed in store.ListAsync(folder, cancellationToken).ConfigureAwait(false))
        {
            if (Tombstone.Parse(listed.Key[folder.Length..]) is { } tombstone)
                found.Add(tombstone);
        }
        return found.Count == 0 ? TombstoneSet.Empty : new(await RequireKeyAsync(source, cancellationToken).ConfigureAwait(false), source.Name, found);
    }

    private async Task<TombstoneKey> RequireKeyAsync(SourceSettings source, CancellationToken cancellationToken)
    {
        var name = TombstoneKey.ObjectKey(source.Prefix);
        try
        {
            if (await TombstoneKey.ReadAsync(store, source.Prefix, cancellationToken).ConfigureAwait(false) is { } key)
                return key;
        }
        catch (InvalidDataException exception)
        {
            throw Unknown(name, "damaged", exception);
        }
        throw Unknown(name, "missing", null);
    }

    private ArchiverException Unknown(string name, string what, Exception? inner) => new(FailureKind.Refused,
        $"Sessions were erased, and {name} in {store.Location}, the key of their tombstones, is {what}: nobody can tell which, so nothing comes back. Put that object back from a backup of the bucket.", inner);
}
