using System.Collections.Concurrent;
using Archiver.Core.Bucket;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Spool;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Reconciliation;

/// <summary>
/// Tells the ledger that the objects of a source were moved to the bucket and prefix that are configured now. Each one is read to its end
/// at its new place and compared with the ledger's hash; only when all are right, and the tombstones are there too, one transaction
/// rewrites where they are. No object is touched.
/// </summary>
internal sealed class LedgerMover(ArchiverSettings settings, ConnectionCatalog connections, IArchiveReader store, TimeProvider time)
{
    /// <param name="sourceName">Name of the source.</param>
    /// <param name="options">From where, and whether to do it.</param>
    /// <param name="who">Who asked, for the audit.</param>
    /// <param name="progress">Told the number of objects read.</param>
    /// <param name="cancellationToken">Gives up; nothing is written then.</param>
    /// <exception cref="ArchiverException">
    /// No such source or place, another worker runs on the source, or tombstones are missing.
    /// </exception>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task<MoveReport> MoveAsync(
        string sourceName,
        MoveOptions options,
        string who,
        IProgress<RunProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        var source = settings.Find(sourceName);
        var pool = connections[source.Name];
        await using var connection = await pool.OpenAsync(cancellationToken);
        await Migrator.RequireCurrentAsync(connection, cancellationToken);
        await using var taken = await SourceLock.TryTakeAsync(pool, time, cancellationToken)
            ?? throw new ArchiverException(FailureKind.Refused, $"Another worker runs on source '{source.Name}'. Move when it is done.");
        return await taken.WhileHeldAsync(
            token => MoveAsync(connection, taken.Lease, source, options, who, progress, token),
            cancellationToken
        );
    }

    private async Task<MoveReport> MoveAsync(
        NpgsqlConnection connection,
        Lease lease,
        SourceSettings source,
        MoveOptions options,
        string who,
        IProgress<RunProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        await SourceRegistry.RegisterAsync(connections[source.Name], connection, source, cancellationToken);
        var (from, prefix) = await FromAsync(connection, source, options, cancellationToken);
        List<MovedObject> objects = from is null
            ? []
            : await MoveRecords.FindAsync(connection, source.Name, from, prefix, cancellationToken);
        // What was erased would come back from a bucket that was copied without its tombstones.
        await new TombstoneReader(store).LoadAsync(source, connection, cancellationToken);
        var looked = await LookAsync(objects, prefix, source.Prefix, progress, cancellationToken);
        List<MovedObject> verified = [.. looked.Where(o => o.New is not null)];
        List<SkippedObject> problems =
        [
            .. looked.Where(o => o.Problem is not null).Select(o => new SkippedObject(NewKey(o, prefix, source.Prefix), o.Problem!)),
        ];
        var applied = options.Apply && problems.Count == 0 && verified.Count > 0;
        if (applied)
            await WriteAsync(lease, source, verified, $"{from}/{prefix} -> {store.Location}/{source.Prefix}", who, cancellationToken);
        return new()
        {
            From = from is null ? null : $"{from}/{prefix}",
            To = $"{store.Location}/{source.Prefix}",
            Verified = verified.Count,
            Bytes = verified.Sum(v => v.Length),
            Problems = problems,
            LeftBehind = [.. looked.Where(o => o.New is null && o.Problem is null).Select(o => o.OldKey)],
            Elsewhere = applied
                ? await MoveRecords.ElsewhereAsync(connection, source, store.Location, cancellationToken)
                : new Dictionary<string, long>(),
            Applied = applied,
        };
    }

    private async Task<(string? From, string Prefix)> FromAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        MoveOptions options,
        CancellationToken cancellationToken
    )
    {
        var prefix = options.FromPrefix?.Trim('/') ?? source.Prefix;
        var from = options.From?.TrimEnd('/');
        if (from is null)
        {
            var places = (await MoveRecords.PlacesAsync(connection, source, store.Location, cancellationToken)).ToList();
            if (places.Count > 1)
                throw new ArchiverException(
                    FailureKind.Configuration,
                    $"The ledger has objects of source '{source.Name}' in "
                        + $"{string.Join(" and in ", places)}: say which were moved with --from."
                );
            from = places.FirstOrDefault();
        }
        return from == store.Location && prefix == source.Prefix
            ? throw new ArchiverException(
                FailureKind.Configuration,
                $"{from}/{prefix} is where source '{source.Name}' is configured now. "
                    + "First configure the new bucket or prefix, then say with --from-prefix which prefix the objects had."
            )
            : (from, prefix);
    }

    private async Task<IReadOnlyList<MovedObject>> LookAsync(
        List<MovedObject> objects,
        string oldPrefix,
        string newPrefix,
        IProgress<RunProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        ConcurrentBag<MovedObject> looked = [];
        progress?.Report(new(objects.Count, 0));
        var options = new ParallelOptions
        {
            MaxDegreeOfParallelism = settings.Storage.UploadConcurrency,
            CancellationToken = cancellationToken,
        };
        await Parallel.ForEachAsync(objects, options, async (moved, token) =>
        {
            looked.Add(await LookAsync(moved, NewKey(moved, oldPrefix, newPrefix), token));
            progress?.Report(new(objects.Count, looked.Count));
        });
        return [.. looked.OrderBy(l => l.Id)];
    }

    private async Task<MovedObject> LookAsync(MovedObject moved, string key, CancellationToken cancellationToken)
    {
        if (await store.HeadAsync(new(key), cancellationToken) is not { } head)
            return moved.MayBeAbsent ? moved : moved with { Problem = "it is not there" };
        await using var body = await store.OpenAsync(head.Name, cancellationToken);
        if (body is null)
            return moved with { Problem = "it went away while it was read" };
        await using var hashing = new HashingStream(body);
        await hashing.CopyToAsync(Stream.Null, cancellationToken);
        return hashing.Was(moved.Length, moved.Sha256)
            ? moved with
            {
                New = head.Name,
            }
            : moved with
            {
                Problem = "it is another object: its bytes are not those that the ledger knows",
            };
    }

    private static string NewKey(MovedObject moved, string oldPrefix, string newPrefix) => newPrefix + moved.OldKey[oldPrefix.Length..];

    private async Task WriteAsync(
        Lease lease,
        SourceSettings source,
        List<MovedObject> verified,
        string what,
        string who,
        CancellationToken cancellationToken
    )
    {
        // Of its own: an answer to its commit that is lost takes its connection with it, and the report is still to be made.
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await MoveRecords.WriteAsync(connection, store.Location, verified, cancellationToken) != verified.Count)
            throw new ArchiverException(
                FailureKind.Failed,
                $"The ledger of source '{source.Name}' changed while it was worked on. Nothing was changed; move again."
            );
        await AuditLog.WriteAsync(
            connection,
            new(who, "move", source.Name, Reason: what, Counts: new Dictionary<string, long> { ["objects"] = verified.Count }),
            cancellationToken
        );
        await lease.CommitAsync(connections[source.Name], connection, transaction, cancellationToken);
    }
}
