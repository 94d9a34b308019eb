using Archiver.Core.Documents;
using Archiver.Core.Storage;

namespace Archiver.Core.Erasure;

/// <summary>Removes objects that hold the sessions and that the ledger does not know, each in every version.</summary>
internal sealed class EraseUnrecorded(EraseScope scope)
{
    private readonly EraseWork _work = scope.Work;

    /// <summary>Objects confirmed gone.</summary>
    public long Removed { get; private set; }

    /// <exception cref="StorageException">The store does not answer. What it did before is recorded.</exception>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        var whole = Whole();
        if (whole.Count == 0)
            return;
        await using var connection = await scope.Run.Connections.OpenAsync(cancellationToken);
        await using var transaction = await scope.BeginAsync(connection, cancellationToken);
        await scope.KeepHeldAsync(
            connection,
            [.. whole.SelectMany(o => o.Documents).Select(d => d.SessionId).Distinct()],
            cancellationToken
        );
        whole.RemoveAll(o => !o.Documents.All(d => _work.IsFree(d.SessionId)));
        await LeaveMixedAsync(whole, cancellationToken);
        await scope.Run.RequireLeaseAsync(connection, cancellationToken);
        var outcome = await scope.Store.DeleteAllVersionsAsync(
            [.. whole.Select(o => new ObjectName(o.Key, o.VersionId))],
            cancellationToken
        );
        Removed = whole.Select(o => o.Key).Distinct(StringComparer.Ordinal).Count(outcome.IsGone);
        foreach (var found in whole.Where(o => !outcome.IsGone(o.Key)))
            scope.Keep(found.Documents.Select(d => d.SessionId), outcome.Failures[found.Key].Message);
        await scope.AuditAsync(connection, new() { ["unrecorded_objects"] = Removed }, cancellationToken);
        await scope.Run.CommitAsync(connection, transaction, cancellationToken);
        if (outcome.Outage is { } outage)
            throw outage;
    }

    /// <summary>Takes out keys of which a version is there that was not read, not ours, or is not to go: all go together.</summary>
    private async Task LeaveMixedAsync(List<FoundObject> whole, CancellationToken cancellationToken)
    {
        foreach (var ours in whole.GroupBy(o => o.Key, StringComparer.Ordinal).ToList())
        {
            List<ObjectName> read = [.. ours.Select(o => new ObjectName(o.Key, o.VersionId))];
            if ((await new AllObjects(scope.Store).FindAsync(new(ours.Key), cancellationToken)).All(read.Contains))
                continue;
            whole.RemoveAll(o => o.Key == ours.Key);
            scope.Keep(
                ours.SelectMany(o => o.Documents).Select(d => d.SessionId),
                $"'{ours.Key}', which the ledger does not know, has versions that are not this ledger's, or cannot be read or erased, "
                    + "and a removal takes every version: remove those of the session yourself"
            );
        }
    }

    /// <summary>Those whose every session is to go. All versions of a key go together.</summary>
    private List<FoundObject> Whole()
    {
        List<FoundObject> whole = [];
        foreach (var versions in _work.Unrecorded.GroupBy(o => o.Key, StringComparer.Ordinal))
        {
            var sessions = _work.AllOf(versions.Key).Select(d => d.SessionId).ToList();
            if (sessions.TrueForAll(_work.IsFree))
                whole.AddRange(versions);
            else
                scope.Keep(
                    sessions,
                    $"'{versions.Key}' holds other sessions too, and the ledger does not know it: archiver reconcile "
                        + "--fix --yes, then again"
                );
        }
        return whole;
    }
}
