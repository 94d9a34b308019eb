using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Erasure;

/// <summary>
/// The steps of an erasure. Their order is chosen by the crash we prefer: tombstones first, so that nothing comes back; the ledger's text
/// last, so that whatever is left is still found by its id and a later erasure ends it.
/// </summary>
internal sealed class EraseSteps(EraseScope scope, TimeProvider time)
{
    /// <summary>Times that rows are deleted which come while a session is erased.</summary>
    private const int Passes = 3;

    private readonly ManualScope _run = scope.Run;
    private readonly EraseWork _work = scope.Work;
    private readonly EraseRequest _request = scope.Request;

    /// <summary>Erases what is free; what stays is in the work, with its reason.</summary>
    /// <param name="receipt">What is known by now.</param>
    /// <param name="report">Told after each step, so that a failure leaves a true receipt.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    public async Task EraseAsync(EraseReceipt receipt, Action<EraseReceipt> report, CancellationToken cancellationToken)
    {
        if (_work.Free.Count == 0)
        {
            if (_request.Reapply)
                await SeeAsync(_work.Tombstones, cancellationToken);
            return;
        }
        if (_work.Owners.Count > 0)
        {
            await using var connection = await _run.Connections.OpenAsync(cancellationToken);
            await UnknownOwners.LearnAsync(connection, scope.Source, _work.Owners, cancellationToken);
        }
        // A user with a held session gets no tombstone: what is held must stay restorable.
        var user = _work.Sessions.Any(s => s.State == ErasedSession.Held) ? null : _request.User;
        var burial = new EraseBurial(scope);
        if (!_request.Reapply)
            await burial.BuryAsync(user, cancellationToken);
        report(receipt = receipt with { Tombstones = burial.Names.Count });
        await EraseTextAsync(user, cancellationToken);

        var rows = new EraseRows(Context(), new DatabaseRetry(scope.Settings.Retry, time), scope.Who, _request.Reason);
        var live = KeyForm.Of(scope.Source.Map, scope.Shape).Possible(_work.Free);
        foreach (var chunk in live.Chunk(scope.Settings.Batch.Sessions))
        {
            HashSet<string> kept = new(StringComparer.Ordinal);
            var left = chunk;
            for (var pass = 0; left.Length > 0 && pass < Passes; pass++)
            {
                var (deleted, dropped) = await rows.DeleteAsync(left, cancellationToken);
                report(receipt = receipt with { Rows = receipt.Rows + deleted });
                foreach (var session in dropped)
                    _work.Keep(
                        session.Key,
                        session.Reason == DropReason.Held ? ErasedSession.Held : ErasedSession.Remaining,
                        $"its live rows: {session.Reason}"
                    );
                kept.UnionWith(dropped.Select(d => d.Key));
                left = [.. (await rows.LeftAsync(left, cancellationToken)).Except(kept)];
            }
            foreach (var session in left)
                _work.Keep(session, ErasedSession.Remaining, "its live rows: others came while they were erased");
        }
        var objects = new EraseObjects(scope);
        try
        {
            await objects.EraseAsync(cancellationToken);
        }
        finally
        {
            receipt = receipt with
            {
                Archives = objects.Archives,
                Objects = objects.Removed,
                Bundles = objects.Bundles,
                Manifests = objects.Manifests,
            };
            report(receipt);
        }
        await burial.UnburyHeldAsync(cancellationToken);
        report(receipt with { Tombstones = burial.Names.Count });
        await SeeAsync(_request.Reapply ? _work.Tombstones : burial.Names, cancellationToken);
    }

    // Before the rest, by which the sessions are found: what is left of these after a crash would be found by nobody.
    private async Task EraseTextAsync(string? user, CancellationToken cancellationToken)
    {
        await using var connection = await _run.Connections.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.Common + TransactionSettings.Change, cancellationToken);
        await EraseLedger.RestAsync(
            connection,
            scope.Source.Name,
            _work.Free,
            user,
            SameUser.Column(scope.Source.Map, scope.Shape),
            cancellationToken
        );
        await _run.CommitAsync(connection, transaction, cancellationToken);
        FaultPoint.Reach(FaultPoints.EraseTextErased);
    }

    // At the end: until then runs of this source refuse, because an erasure that was begun must be ended.
    private async Task SeeAsync(IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        await using var connection = await _run.Connections.OpenAsync(cancellationToken);
        await Erasures.AddAsync(connection, scope.Source.Name, names, cancellationToken);
    }

    private RunContext Context() =>
        new()
        {
            Id = _run.RunId,
            Source = scope.Source,
            // Only its name counts here: nothing is selected by it.
            Policy = new Policy
            {
                Source = scope.Source.Name,
                Name = Eraser.Name,
                Action = PolicyAction.Purge,
            },
            Batch = scope.Settings.Batch,
            Cutoffs = new Cutoffs(_run.Now),
            Database = _run.Database,
            Shape = scope.Shape,
            Connections = _run.Connections,
            Lease = _run.Lease,
        };
}
