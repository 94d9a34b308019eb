using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Ownership;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Erasure;

/// <summary>
/// The bucket's part of an erasure: bundles are written again without the sessions, manifests too, then objects are removed in every version
/// and confirmed gone, and last the ledger forgets their ids. Of a session of which something is left the ledger forgets nothing.
/// </summary>
internal sealed class EraseObjects(ManualScope scope, SourceShape shape, IArchiveStore store, ArchiverSettings settings, string who, string? reason, EraseWork work)
{
    /// <summary>Objects under one hold lock and in one ledger transaction.</summary>
    private const int Group = 64;

    private const string CountRun = "UPDATE archiver.runs SET sessions_done = sessions_done + $2 WHERE id = $1";

    private readonly BundleRewriter _bundles = new(scope, store);
    private readonly EraseManifests _manifests = new(scope, store);
    private readonly ObjectOwner _owner = new(store, scope.Database);

    /// <summary>Rows of archives whose object is confirmed gone.</summary>
    public long Archives { get; private set; }

    /// <summary>Objects confirmed gone.</summary>
    public long Removed { get; private set; }

    public long Bundles { get; private set; }

    public long Manifests => _manifests.Removed;

    public async Task EraseAsync(CancellationToken cancellationToken)
    {
        var objects = await FindAsync(cancellationToken);
        List<EraseObject> removable = [];
        foreach (var old in objects)
        {
            if (await PrepareAsync(old, cancellationToken) is { } problem)
                Keep(old.Members, problem);
            else
                removable.Add(old);
        }
        removable = await WithoutManifestsAsync(removable, cancellationToken);
        foreach (var group in removable.Chunk(Group))
            await RemoveAsync(group, cancellationToken);
        await RemoveUnrecordedAsync(cancellationToken);
    }

    private async Task<IReadOnlyList<EraseObject>> FindAsync(CancellationToken cancellationToken)
    {
        await using var connection = await scope.Connections.OpenAsync(cancellationToken);
        return await EraseObject.FindAsync(connection, scope.Source.Name, work.Free, cancellationToken);
    }

    /// <summary>Why an object cannot go, or null when nobody else needs it any more.</summary>
    private async Task<string?> PrepareAsync(EraseObject old, CancellationToken cancellationToken)
    {
        if (old.IsGone)
            return null;
        if (old.Location != store.Location)
            return $"its object is in {old.Location}, and the configured store is {store.Location}";
        List<string> gone = [.. old.Members.Where(work.IsFree)];
        if (gone.Count == old.Members.Length)
            return null;
        var problem = await _bundles.RewriteAsync(old, gone, cancellationToken);
        Bundles += problem is null ? 1 : 0;
        return problem;
    }

    private async Task<List<EraseObject>> WithoutManifestsAsync(List<EraseObject> objects, CancellationToken cancellationToken)
    {
        var sessions = work.Free.ToHashSet(StringComparer.Ordinal);
        Dictionary<Guid, string> left = [];
        foreach (var run in objects.SelectMany(o => o.Runs).Concat(UnrecordedRuns()).Distinct())
        {
            if (await _manifests.EraseAsync(run, sessions, cancellationToken) is { } problem)
                left[run] = problem;
        }
        foreach (var old in objects)
        {
            foreach (var run in old.Runs.Where(left.ContainsKey))
                Keep(old.Members, $"a manifest: {left[run]}");
        }
        foreach (var document in work.Unrecorded.SelectMany(o => o.Documents).Where(d => Guid.TryParse(d.Header.Source.Run, out var run) && left.ContainsKey(run)))
            Keep([document.SessionId], $"a manifest: {left[Guid.Parse(document.Header.Source.Run)]}");
        return objects;
    }

    // Manifests outlive a ledger: they name the sessions of objects that it does not know.
    private IEnumerable<Guid> UnrecordedRuns() =>
        work.Unrecorded.SelectMany(o => o.Documents).Select(d => Guid.TryParse(d.Header.Source.Run, out var run) ? run : Guid.Empty).Where(r => r != Guid.Empty);

    private async Task RemoveAsync(IReadOnlyList<EraseObject> group, CancellationToken cancellationToken)
    {
        await using var connection = await scope.Connections.OpenAsync(cancellationToken);
        await using var transaction = await BeginAsync(connection, cancellationToken);
        var held = await HeldSessions.FindAsync(connection, scope.Source, shape, [.. group.SelectMany(o => o.Members).Where(work.IsFree).Distinct()], cancellationToken);
        foreach (var session in held)
            work.Keep(session, ErasedSession.Held, "under a legal hold");
        // A bundle that was written again holds only what is to go; if one of these is held now, it stays.
        List<EraseObject> free = [.. group.Where(o => !o.Members.Any(held.Contains))];
        foreach (var old in group.Except(free))
            Keep(old.Members, "its bundle came under a legal hold");
        var foreign = await _owner.WhyForeignAsync(free.Where(o => !o.IsGone).Select(o => o.Name), settings.Storage.UploadConcurrency, cancellationToken);
        foreach (var old in free.Where(o => foreign.ContainsKey(o.Key)))
            Keep(old.Members, $"its object is not this database's: {foreign[old.Key]}");
        free.RemoveAll(o => foreign.ContainsKey(o.Key));
        await scope.RequireLeaseAsync(connection, cancellationToken);
        var outcome = await store.DeleteAllVersionsAsync([.. free.Where(o => !o.IsGone).Select(o => o.Name)], cancellationToken);
        FaultPoint.Reach(FaultPoints.EraseObjectsRemoved);
        foreach (var old in free.Where(o => !outcome.IsGone(o.Key)))
            Keep(old.Members, outcome.Failures[old.Key].Message);
        Removed += free.Count(o => !o.IsGone && outcome.IsGone(o.Key));

        // The ledger forgets a session only when nothing of it is left: until then a later erasure must find it.
        var left = work.Sessions.Where(s => s.State != ErasedSession.Erased).Select(s => s.SessionId).ToHashSet(StringComparer.Ordinal);
        List<EraseObject> gone = [.. free.Where(o => outcome.IsGone(o.Key))];
        List<string> forgotten = [.. gone.SelectMany(o => o.Members).Where(m => work.IsFree(m) && !left.Contains(m)).Distinct()];
        if (forgotten.Count > 0)
        {
            var (archives, objects) = await EraseLedger.ObjectsAsync(connection, gone.Select(o => o.Id), forgotten, cancellationToken);
            Archives += archives;
            await connection.ExecuteAsync(CountRun, cancellationToken, PgParameter.Uuid(scope.RunId), PgParameter.Bigint(forgotten.Count));
            var counts = new Dictionary<string, long> { ["sessions"] = forgotten.Count, ["archives"] = archives, ["objects"] = objects };
            await AuditLog.WriteAsync(connection, new(who, Eraser.Name, scope.Source.Name, null, scope.RunId, reason, counts), cancellationToken);
        }
        await scope.Lease.CommitAsync(scope.Connections, connection, transaction, cancellationToken);
        FaultPoint.Reach(FaultPoints.EraseObjectsRecorded);
        if (outcome.Outage is { } outage)
            throw outage;
    }

    private async Task RemoveUnrecordedAsync(CancellationToken cancellationToken)
    {
        List<FoundObject> whole = [];
        // All versions of a key go together.
        foreach (var versions in work.Unrecorded.GroupBy(o => o.Key, StringComparer.Ordinal))
        {
            var sessions = work.AllOf(versions.Key).Select(d => d.SessionId).ToList();
            if (sessions.TrueForAll(work.IsFree))
                whole.AddRange(versions);
            else
                Keep(sessions, $"'{versions.Key}' holds other sessions too, and the ledger does not know it: archiver reconcile --fix --yes, then again");
        }
        if (whole.Count == 0)
            return;
        await using var connection = await scope.Connections.OpenAsync(cancellationToken);
        await using var transaction = await BeginAsync(connection, cancellationToken);
        foreach (var session in await HeldSessions.FindAsync(connection, scope.Source, shape, [.. whole.SelectMany(o => o.Documents).Select(d => d.SessionId).Distinct()], cancellationToken))
            work.Keep(session, ErasedSession.Held, "under a legal hold");
        whole.RemoveAll(o => !o.Documents.All(d => work.IsFree(d.SessionId)));
        await scope.RequireLeaseAsync(connection, cancellationToken);
        var outcome = await store.DeleteAllVersionsAsync([.. whole.Select(o => new ObjectName(o.Key, o.VersionId))], cancellationToken);
        var removed = whole.Select(o => o.Key).Distinct(StringComparer.Ordinal).Count(outcome.IsGone);
        Removed += removed;
        foreach (var found in whole.Where(o => !outcome.IsGone(o.Key)))
            Keep(found.Documents.Select(d => d.SessionId), outcome.Failures[found.Key].Message);
        var counts = new Dictionary<string, long> { ["unrecorded_objects"] = removed };
        await AuditLog.WriteAsync(connection, new(who, Eraser.Name, scope.Source.Name, null, scope.RunId, reason, counts), cancellationToken);
        await scope.Lease.CommitAsync(scope.Connections, connection, transaction, cancellationToken);
        if (outcome.Outage is { } outage)
            throw outage;
    }

    // As for a discard: a hold that is added meanwhile waits, and then covers what is left.
    private async Task<NpgsqlTransaction> BeginAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.ReadCommitted, cancellationToken);
        await connection.ExecuteAsync(
            TransactionSettings.Common + TransactionSettings.Change + TransactionSettings.Timeout("idle_in_transaction_session_timeout", (settings.Retry.Budget + settings.Storage.Timeout) * 2), cancellationToken);
        await HoldLock.TakeSharedAsync(connection, scope.Source.Name, cancellationToken);
        return transaction;
    }

    private void Keep(IEnumerable<string> sessions, string problem)
    {
        foreach (var session in sessions)
            work.Keep(session, ErasedSession.Remaining, problem);
    }
}
