using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Ownership;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Erasure;

/// <summary>
/// The bucket's part of an erasure: bundles are written again without the sessions, manifests too, then objects are removed in every
/// version and confirmed gone, and last the ledger forgets their ids. Of a session of which something is left the ledger forgets nothing.
/// </summary>
internal sealed class EraseObjects(EraseScope scope)
{
    /// <summary>Objects under one hold lock and in one ledger transaction.</summary>
    private const int Group = 64;

    private readonly EraseWork _work = scope.Work;
    private readonly BundleRewriter _bundles = new(scope.Run, scope.Store);
    private readonly EraseManifests _manifests = new(scope);
    private readonly EraseUnrecorded _unrecorded = new(scope);
    private readonly RemovalCheck _check = new(scope.Store, new(scope.Store, scope.Run.Database));

    private long _removed;

    /// <summary>Rows of archives whose object is confirmed gone.</summary>
    public long Archives { get; private set; }

    /// <summary>Objects confirmed gone.</summary>
    public long Removed => _removed + _unrecorded.Removed;

    public long Bundles { get; private set; }

    public long Manifests => _manifests.Removed;

    public async Task EraseAsync(CancellationToken cancellationToken)
    {
        List<EraseObject> removable = [];
        foreach (var old in await FindAsync(cancellationToken))
        {
            // From here on its members are those that it was prepared to lose: what it held of others is elsewhere, or gone.
            var lost = old with { Members = [.. old.Members.Where(_work.IsFree)] };
            if (await PrepareAsync(old, lost.Members, cancellationToken) is { } problem)
                scope.Keep(old.Members, problem);
            else
                removable.Add(lost);
        }
        await EraseManifestsAsync(removable, cancellationToken);
        foreach (var group in removable.Chunk(Group))
            await RemoveAsync(group, cancellationToken);
        await _unrecorded.RemoveAsync(cancellationToken);
    }

    private async Task<IReadOnlyList<EraseObject>> FindAsync(CancellationToken cancellationToken)
    {
        await using var connection = await scope.Run.Connections.OpenAsync(cancellationToken);
        return await EraseObject.FindAsync(connection, scope.Source.Name, _work.Free, cancellationToken);
    }

    /// <summary>Why an object cannot go, or null when nobody else needs it any more.</summary>
    private async Task<string?> PrepareAsync(EraseObject old, string[] gone, CancellationToken cancellationToken)
    {
        if (old.Location != scope.Store.Location)
            return old.IsGone ? null : $"its object is in {old.Location}, and the configured store is {scope.Store.Location}";
        if (gone.Length == old.Members.Length || (old.IsGone && !await IsThereAsync(old, cancellationToken)))
            return null;
        var problem = await _bundles.RewriteAsync(old, gone, cancellationToken);
        Bundles += problem is null ? 1 : 0;
        return problem;
    }

    private async Task<bool> IsThereAsync(EraseObject old, CancellationToken cancellationToken) =>
        (await new AllObjects(scope.Store).FindAsync(old.Name, cancellationToken)).Count > 0;

    private async Task EraseManifestsAsync(List<EraseObject> objects, CancellationToken cancellationToken)
    {
        // Manifests outlive a ledger: they name the sessions of objects that it does not know.
        var unrecorded = _work
            .Unrecorded.SelectMany(o => o.Documents)
            .Select(d => (Session: d.SessionId, Run: Guid.TryParse(d.Header.Source.Run, out var run) ? run : Guid.Empty))
            .Where(d => d.Run != Guid.Empty)
            .ToList();
        Dictionary<Guid, string> left = [];
        foreach (var run in objects.SelectMany(o => o.Runs).Concat(unrecorded.Select(d => d.Run)).Distinct())
        {
            if (await _manifests.EraseAsync(run, cancellationToken) is { } problem)
                left[run] = $"a manifest: {problem}";
        }
        foreach (var old in objects)
        {
            foreach (var run in old.Runs.Where(left.ContainsKey))
                scope.Keep(old.Members, left[run]);
        }
        foreach (var (session, run) in unrecorded.Where(d => left.ContainsKey(d.Run)))
            scope.Keep([session], left[run]);
    }

    private async Task RemoveAsync(IReadOnlyList<EraseObject> group, CancellationToken cancellationToken)
    {
        await using var connection = await scope.Run.Connections.OpenAsync(cancellationToken);
        await using var transaction = await scope.BeginAsync(connection, cancellationToken);
        var (free, found) = await FreeAsync(connection, group, cancellationToken);
        await scope.Run.RequireLeaseAsync(connection, cancellationToken);
        var outcome = await scope.Store.DeleteAllVersionsAsync([.. free.Where(IsHere).Select(o => o.Whole)], cancellationToken);
        FaultPoint.Reach(FaultPoints.EraseObjectsRemoved);
        List<EraseObject> left = [.. free.Where(o => IsHere(o) && !outcome.IsGone(o.Key))];
        foreach (var old in left)
            scope.Keep(old.Members, outcome.Failures[old.Key].Message);
        _removed += free.Except(left).Count(o => !o.IsGone || (IsHere(o) && found.Contains(o.Key)));
        await ForgetAsync(connection, [.. free.Except(left)], cancellationToken);
        await scope.Run.CommitAsync(connection, transaction, cancellationToken);
        FaultPoint.Reach(FaultPoints.EraseObjectsRecorded);
        if (outcome.Outage is { } outage)
            throw outage;
    }

    /// <summary>
    /// Those that nothing holds and that are what the ledger recorded, and the keys of which something is there; why others stay is noted.
    /// </summary>
    private async Task<(IReadOnlyList<EraseObject> Free, IReadOnlySet<string> Found)> FreeAsync(
        NpgsqlConnection connection,
        IReadOnlyList<EraseObject> group,
        CancellationToken cancellationToken
    )
    {
        await scope.KeepHeldAsync(connection, [.. group.SelectMany(o => o.Members).Where(_work.IsFree).Distinct()], cancellationToken);
        // Also what an earlier group found held: it is not asked again. A bundle stays if one of those in it that were to go is held now.
        List<EraseObject> free = [.. group.Where(o => o.Members.All(_work.IsFree))];
        foreach (var old in group.Except(free))
            scope.Keep(old.Members, "its bundle came under a legal hold");
        var found = await _check.WhyKeptAsync(
            free.Where(IsHere).Select(o => (o.Name, o.Length)),
            scope.Settings.Storage.UploadConcurrency,
            cancellationToken
        );
        List<EraseObject> theirs = [.. free.Where(o => IsHere(o) && found.GetValueOrDefault(o.Key) is not null)];
        foreach (var old in theirs)
            scope.Keep(old.Members, $"its object is {found[old.Key]}");
        return ([.. free.Except(theirs)], found.Keys.ToHashSet(StringComparer.Ordinal));
    }

    // Two rows may have one key, each in a store of its own; of another store only what was destroyed there comes this far.
    private bool IsHere(EraseObject old) => old.Location == scope.Store.Location;

    // The ledger forgets a session only when nothing of it is left: until then a later erasure must find it.
    private async Task ForgetAsync(NpgsqlConnection connection, IReadOnlyList<EraseObject> gone, CancellationToken cancellationToken)
    {
        var left = _work.Sessions.Where(s => s.State != ErasedSession.Erased).Select(s => s.SessionId).ToHashSet(StringComparer.Ordinal);
        List<string> forgotten = [.. gone.SelectMany(o => o.Members).Where(m => _work.IsFree(m) && !left.Contains(m)).Distinct()];
        if (forgotten.Count == 0)
            return;
        var (archives, objects) = await EraseLedger.ObjectsAsync(connection, gone.Select(o => o.Id), forgotten, cancellationToken);
        Archives += archives;
        await RunJournal.CountAsync(connection, scope.Run.RunId, new(forgotten.Count, Rows: 0), cancellationToken);
        await scope.AuditAsync(
            connection,
            new()
            {
                ["sessions"] = forgotten.Count,
                ["archives"] = archives,
                ["objects"] = objects,
            },
            cancellationToken
        );
    }
}
