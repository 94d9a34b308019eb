using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Bucket;

/// <summary>
/// Reads what was erased. Everything that could bring a session back asks it first, and in doubt nothing comes back: an empty listing
/// counts only when the tombstones' key is absent too, and every tombstone that the ledger has seen must be listed.
/// </summary>
internal sealed class TombstoneReader(IArchiveReader store)
{
    /// <summary>What says that a session cannot come back.</summary>
    public const string Refusal = "it was erased on request and does not come back";

    private const string Seen = "SELECT e.name FROM archiver.erasures AS e WHERE e.source = $1";

    /// <summary>All tombstones of a source, also those that a delete marker hides.</summary>
    /// <param name="source">The source.</param>
    /// <param name="connection">To its database; where that has no ledger, only the bucket can tell.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArchiverException">
    /// Some are missing, or their key is missing or damaged: nobody can tell what was erased.
    /// </exception>
    /// <exception cref="StorageException">The store does not answer, refuses, or does not list what it has.</exception>
    public async Task<TombstoneSet> LoadAsync(SourceSettings source, NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var folder = Tombstone.Folder(source.Prefix);
        List<Tombstone> found = [];
        var isKeyListed = false;
        await foreach (var listed in new AllObjects(store).ListAsync(folder, cancellationToken))
        {
            isKeyListed |= listed.Key == TombstoneKey.ObjectKey(source.Prefix);
            if (Tombstone.Parse(listed.Key[folder.Length..]) is { } tombstone)
                found.Add(tombstone);
        }
        await RequireSeenAsync(source, connection, found, cancellationToken);
        if (found.Count > 0)
        {
            var key = await RequireKeyAsync(source, cancellationToken);
            var names = (await FormerNames.LoadAsync(store, source, cancellationToken)).All;
            return new(key, names, found, await SameUser.ColumnAsync(connection, source.Map, cancellationToken));
        }
        if (!isKeyListed && await store.HeadAsync(new(TombstoneKey.ObjectKey(source.Prefix)), cancellationToken) is not null)
            throw Untrue(TombstoneKey.ObjectKey(source.Prefix));
        return TombstoneSet.Empty;
    }

    private async Task RequireSeenAsync(
        SourceSettings source,
        NpgsqlConnection connection,
        IReadOnlyList<Tombstone> found,
        CancellationToken cancellationToken
    )
    {
        if (!await connection.ScalarAsync<bool>("SELECT to_regclass('archiver.erasures') IS NOT NULL", cancellationToken))
            return;
        var seen = await connection.QueryAsync(Seen, row => row.GetString(0), cancellationToken, PgParameter.Text(source.Name));
        if (seen.Except(found.Select(t => t.Name), StringComparer.Ordinal).ToList() is not [var first, ..] missing)
            return;
        var key = Tombstone.Folder(source.Prefix) + first;
        throw await store.HeadAsync(new(key), cancellationToken) is not null
            ? Untrue(key)
            : new ArchiverException(
                FailureKind.Refused,
                $"{missing.Count} of the tombstones that this ledger has seen {(missing.Count == 1 ? "is" : "are")} not in "
                    + $"{store.Location}, such as {key}: without them what was erased would come back, so nothing is done. Put "
                    + $"{Tombstone.Folder(source.Prefix)} back from a backup of the bucket, or copy it from where the bucket was before."
            );
    }

    private StorageException Untrue(string key) =>
        new(
            StorageFailure.Transient,
            $"{store.Location} has '{key}' and does not list it: its listing is not true, so nobody can tell what "
                + "was erased. Something between may answer in its place."
        );

    private async Task<TombstoneKey> RequireKeyAsync(SourceSettings source, CancellationToken cancellationToken)
    {
        var name = TombstoneKey.ObjectKey(source.Prefix);
        try
        {
            if (await TombstoneKey.ReadAsync(store, source.Prefix, cancellationToken) is { } key)
                return key;
        }
        catch (InvalidDataException exception)
        {
            throw Unknown(name, "damaged", exception);
        }
        throw Unknown(name, "missing", null);
    }

    private ArchiverException Unknown(string name, string what, Exception? inner) =>
        new(
            FailureKind.Refused,
            $"Sessions were erased, and {name} in {store.Location}, the key of their tombstones, is {what}: nobody can tell which, so "
                + "nothing comes back. Put that object back from a backup of the bucket.",
            inner
        );
}
