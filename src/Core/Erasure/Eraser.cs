using System.Globalization;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Microsoft.Extensions.Logging;

namespace Archiver.Core.Erasure;

/// <summary>
/// The right to erasure: live rows, every archive and copy, manifests and the ledger's text of sessions. What a hold covers is not touched;
/// what cannot be erased is reported, never called done.
/// </summary>
internal sealed class Eraser(
    ArchiverSettings settings,
    ConnectionCatalog connections,
    IArchiveStore store,
    TimeProvider time,
    ILogger<Eraser> logger
)
{
    public const string Name = "erase";

    private readonly EraseFinder _finder = new(store, settings.Batch.LockTimeout);

    /// <summary>The request with its ids and its user as the source's columns write them.</summary>
    /// <exception cref="ArchiverException">
    /// Something in it is no value of its column, or no users are mapped; kind Configuration.
    /// </exception>
    public async Task<EraseRequest> ResolveAsync(SourceSettings source, EraseRequest request, CancellationToken cancellationToken)
    {
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
        source = await OptionalParts.OfNowAsync(connection, source, cancellationToken);
        var given = new GivenIds(connection, source.Map);
        foreach (var id in request.Ids)
            await given.RequireSessionAsync(source.Name, id, cancellationToken);
        return request.User is { } user ? request with { User = await given.UserAsync(source.Name, user, cancellationToken) } : request;
    }

    /// <summary>What an erasure would find; changes nothing.</summary>
    /// <exception cref="ArchiverException">The source is not fit, or the tombstones cannot be read.</exception>
    public async Task<EraseReceipt> PlanAsync(SourceSettings source, EraseRequest request, CancellationToken cancellationToken)
    {
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
        await Migrator.RequireCurrentAsync(connection, cancellationToken);
        await SourceRegistry.CheckAsync(connection, source, cancellationToken);
        (source, var shape) = await _finder.InspectAsync(connection, source, cancellationToken);
        var (database, now) = await DatabaseIdentity.ReadAsync(connection, cancellationToken);
        LedgerOwner.Require(database);
        var work = await _finder.FindAsync(connection, source, shape, database, request, cancellationToken);
        var objects = await EraseObject.FindAsync(connection, source.Name, work.Free, cancellationToken);
        return work.Receipt(source.Name) with
        {
            At = Text(now),
            Plan = true,
            Rows = await EraseFinder.CountRowsAsync(connection, source, shape, work.Free, cancellationToken),
            Archives = await connection.ScalarAsync<long>(
                "SELECT count(*) FROM archiver.archives AS a WHERE a.source = $1 AND a.session_id = ANY ($2) AND a.state <> 'erased'",
                cancellationToken,
                PgParameter.Text(source.Name),
                PgParameter.Texts(work.Free)
            ),
            Objects = objects.Count(o => !o.IsGone) + work.Unrecorded.Count,
            Bundles = objects.Count(o => !o.IsGone && o.Members.Any(m => !work.IsFree(m))),
        };
    }

    /// <summary>Erases; the outcome is in the receipt, whatever it is.</summary>
    public async Task<EraseReceipt> RunAsync(SourceSettings source, EraseRequest request, string who, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var receipt = new EraseReceipt { Source = source.Name, Outcome = RunOutcome.Done };
        EraseWork? work = null;
        async Task WorkAsync(ManualScope scope, CancellationToken token)
        {
            receipt = receipt with { At = Text(scope.Now) };
            await using var connection = await scope.Connections.OpenAsync(token);
            var (found, shape) = await _finder.InspectAsync(connection, source, token);
            work = await _finder.FindAsync(connection, found, shape, scope.Database, request, token);
            var erasure = new EraseScope
            {
                Run = scope with { Source = found },
                Shape = shape,
                Settings = settings,
                Store = store,
                Work = work,
                Request = request,
                Who = who,
            };
            await new EraseSteps(erasure, time).EraseAsync(receipt, r => receipt = r, token);
        }
        var run = await new ManualRun(settings, connections, time, logger).ExecuteAsync(
            source,
            Name,
            WorkAsync,
            () =>
                new()
                {
                    Source = source.Name,
                    Policy = Name,
                    Outcome = work is null || work.IsComplete ? RunOutcome.Done : RunOutcome.Partial,
                    Selected = work?.Sessions.Count ?? 0,
                    Failed = work?.Sessions.Count(s => s.State == ErasedSession.Remaining) ?? 0,
                    Skipped = work?.Sessions.Count(s => s.State == ErasedSession.Held) ?? 0,
                },
            cancellationToken
        );
        receipt = (work?.Receipt(source.Name) ?? receipt) with
        {
            RunId = run.RunId,
            At = receipt.At,
            Outcome = run.Outcome,
            Error = run.Error,
            Rows = receipt.Rows,
            Archives = receipt.Archives,
            Objects = receipt.Objects,
            Bundles = receipt.Bundles,
            Manifests = receipt.Manifests,
            Tombstones = receipt.Tombstones,
        };
        var elapsed = (long)time.GetElapsedTime(started).TotalMilliseconds;
        var (erased, held, remaining) = (
            Count(receipt, ErasedSession.Erased),
            Count(receipt, ErasedSession.Held),
            Count(receipt, ErasedSession.Remaining)
        );
        logger.EraseEnded(run.RunId, source.Name, receipt.Outcome, erased, receipt.Rows, receipt.Objects, held, remaining, elapsed);
        return receipt;
    }

    private static int Count(EraseReceipt receipt, string state) => receipt.Sessions.Count(s => s.State == state);

    private static string Text(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
