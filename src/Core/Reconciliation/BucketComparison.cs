using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Reconciliation;

/// <summary>
/// Lays the listing of a prefix and the ledger's objects side by side, both in the order of their keys, page by page. What the listing
/// lacks is asked for by key and by version before it is called missing.
/// </summary>
internal sealed class BucketComparison(NpgsqlConnection connection, IArchiveReader store, SourceSettings source)
{
    private const int PageSize = 5000;

    // Of every source: two sources may share a ledger, and what another one recorded is not unrecorded.
    private const string Page = $"""
        SELECT o.key, o.state, o.source = $2, o.version_id, o.length, {RemovedObjects.IsGone}
        FROM archiver.objects AS o
        WHERE o.location = $1 AND o.key > $3 AND o.key >= $4 AND o.key < $5
        ORDER BY o.key
        LIMIT $6
        """;

    private readonly AllObjects _objects = new(store);
    private readonly List<RecordedObject> _unlisted = [];

    /// <summary>Objects in the store that no row names, also those behind a delete marker.</summary>
    public List<ListedVersions> Unrecorded { get; } = [];

    /// <summary>Keys of stored objects of which the store has no version.</summary>
    public List<string> Missing { get; } = [];

    /// <summary>
    /// Stored objects that are not read as they should be: hidden by a delete marker or a later version, or another object by its length.
    /// </summary>
    public List<SkippedObject> Hidden { get; } = [];

    /// <summary>Keys of objects that were removed, by the ledger, and are in the store.</summary>
    public List<string> Returned { get; } = [];

    /// <summary>Why nothing behind a delete marker was seen, or null.</summary>
    public string? Limitation => _objects.Limitation;

    /// <exception cref="ArchiverException">The store shows nothing at all where the ledger has objects; kind Refused.</exception>
    /// <exception cref="StorageException">The store does not answer, refuses, or contradicts itself.</exception>
    public async Task CompareAsync(CancellationToken cancellationToken)
    {
        await using var listed = _objects.ListAsync($"{source.Prefix}/", cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using var recorded = RecordedAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        var (hasListed, hasRecorded) = (await listed.MoveNextAsync(), await recorded.MoveNextAsync());
        if (!hasListed)
            await StoreWitness.RequireAsync(connection, store, source, cancellationToken);
        while (hasListed || hasRecorded)
        {
            var order =
                !hasListed ? 1
                : !hasRecorded ? -1
                : string.CompareOrdinal(listed.Current.Key, recorded.Current.Name.Key);
            if (order < 0 && BucketScan.IsArchiveKey(source.Prefix, listed.Current.Key))
                Unrecorded.Add(listed.Current);
            if (order > 0 && recorded.Current.IsOurArchive)
                _unlisted.Add(recorded.Current);
            if (order == 0 && recorded.Current is { IsOurs: true, WasRemoved: true })
                Returned.Add(recorded.Current.Name.Key);
            if (order == 0 && recorded.Current.IsOurArchive)
                await CompareAsync(listed.Current, recorded.Current, cancellationToken);
            if (order <= 0)
                hasListed = await listed.MoveNextAsync();
            if (order >= 0)
                hasRecorded = await recorded.MoveNextAsync();
        }
        foreach (var name in _unlisted.Select(u => u.Name))
        {
            if ((await _objects.FindAsync(name, cancellationToken)).Count > 0)
                throw new StorageException(
                    StorageFailure.Transient,
                    $"{store.Location} has '{name.Key}' and does not list it: its listing "
                        + "is not true, so nothing can be compared. Something between may answer in its place."
                );
            Missing.Add(name.Key);
        }
    }

    private async Task CompareAsync(ListedVersions listed, RecordedObject recorded, CancellationToken cancellationToken)
    {
        var (name, current) = (recorded.Name, listed.Versions[0]);
        var ours =
            name.VersionId is null || Limitation is not null ? current : listed.Versions.FirstOrDefault(v => v.VersionId == name.VersionId);
        if (ours is null)
        {
            if (await store.HeadAsync(name, cancellationToken) is not null)
                throw new StorageException(
                    StorageFailure.Transient,
                    $"{store.Location} has version {name.VersionId} of '{name.Key}' and "
                        + "does not list it: its listing is not true, so nothing can be compared."
                );
            Hidden.Add(
                new(
                    name.Key,
                    $"the version that was archived is gone; {listed.Objects.Count()} other of this key left, which may or may not hold it"
                )
            );
        }
        else if (listed.IsHidden)
        {
            Hidden.Add(
                new(
                    name.Key,
                    name.VersionId is null
                        ? "a delete marker hides it, and the ledger knows no version to read it by; version "
                            + $"{listed.Objects.First().VersionId} is there: remove the marker"
                        : "a delete marker hides it; its version is there and is still read: remove the marker before a lifecycle rule "
                            + "ends what it hides"
                )
            );
        }
        else if (ours.Length != recorded.Length)
        {
            Hidden.Add(
                new(
                    name.Key,
                    $"another object lies in its place: of {ours.Length} bytes, and the ledger has {recorded.Length}; "
                        + "archiver verify --all tells whether the session is in it"
                )
            );
        }
        else if (ours != current)
        {
            Hidden.Add(
                new(
                    name.Key,
                    $"version {current.VersionId} was put over it; its own version is there and is still read: remove the "
                        + "later one before a lifecycle rule ends what it hides"
                )
            );
        }
    }

    private async IAsyncEnumerable<RecordedObject> RecordedAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var after = "";
        while (true)
        {
            var page = await connection.QueryAsync(
                Page,
                row => new RecordedObject(
                    new(row.GetString(0), row.TextOrNull(3)),
                    row.GetString(1),
                    row.GetBoolean(2),
                    row.GetInt64(4),
                    row.GetBoolean(5)
                ),
                cancellationToken,
                PgParameter.Text(store.Location),
                PgParameter.Text(source.Name),
                PgParameter.Text(after),
                PgParameter.Text($"{source.Prefix}/"),
                PgParameter.Text($"{source.Prefix}0"),
                PgParameter.Int(PageSize)
            );
            foreach (var row in page)
                yield return row;
            if (page.Count < PageSize)
                yield break;
            after = page[^1].Name.Key;
        }
    }

    private sealed record RecordedObject(ObjectName Name, string State, bool IsOurs, long Length, bool WasRemoved)
    {
        public bool IsOurArchive => IsOurs && State == "stored";
    }
}
