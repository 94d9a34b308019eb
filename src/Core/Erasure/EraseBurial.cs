using Archiver.Core.Bucket;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Ownership;
using Archiver.Core.Storage;

namespace Archiver.Core.Erasure;

/// <summary>
/// The tombstones of one erasure. They are written before anything is destroyed, and taken back for what came under a legal hold before the
/// erasure came to it: what is held must stay restorable.
/// </summary>
internal sealed class EraseBurial(EraseScope scope)
{
    private readonly List<Buried> _written = [];

    /// <summary>Names of those that stay.</summary>
    public IReadOnlyList<string> Names => [.. _written.Select(w => w.Name)];

    /// <summary>Puts the tombstones of what is free. Under the hold lock: what is held is not buried.</summary>
    /// <param name="user">The user whose sessions these are; null where none gets a tombstone.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task BuryAsync(string? user, CancellationToken cancellationToken)
    {
        await using var connection = await scope.Run.Connections.OpenAsync(cancellationToken);
        await using var transaction = await scope.BeginAsync(connection, cancellationToken);
        await scope.KeepHeldAsync(connection, scope.Work.Free, cancellationToken);
        await PrefixOwner.RequireAsync(connection, scope.Store, scope.Source, scope.Run.Database, cancellationToken);
        var writer = new TombstoneWriter(
            scope.Store,
            scope.Source,
            scope.Run.Database,
            scope.Run.RunId,
            scope.Settings.Storage.UploadConcurrency
        );
        _written.AddRange(
            await writer.WriteAsync(
                scope.Work.Free,
                user is null ? [] : SameUser.Spellings(SameUser.Column(scope.Source.Map, scope.Shape), user),
                scope.Run.Now,
                cancellationToken
            )
        );
        FaultPoint.Reach(FaultPoints.EraseBuried);
        await scope.Run.CommitAsync(connection, transaction, cancellationToken);
    }

    /// <summary>
    /// Takes back the tombstones of sessions that are held and of which something is left, and the user's where there is such a session.
    /// One that the ledger has seen stays: it is of an erasure before this one, and every run would miss it.
    /// </summary>
    public async Task UnburyHeldAsync(CancellationToken cancellationToken)
    {
        if (_written.Count == 0)
            return;
        await using var connection = await scope.Run.Connections.OpenAsync(cancellationToken);
        await using var transaction = await scope.BeginAsync(connection, cancellationToken);
        List<string> left = [.. scope.Work.Sessions.Where(s => s.State != ErasedSession.Erased).Select(s => s.SessionId)];
        await scope.KeepHeldAsync(connection, left, cancellationToken);
        var held = scope.Work.Sessions.Where(s => s.State == ErasedSession.Held).Select(s => s.SessionId).ToHashSet(StringComparer.Ordinal);
        var seen = await Erasures.SeenAsync(connection, scope.Source.Name, cancellationToken);
        List<Buried> theirs =
        [
            .. _written.Where(w => !seen.Contains(w.Name) && (w.Session is { } session ? held.Contains(session) : held.Count > 0)),
        ];
        if (theirs.Count == 0)
            return;
        await scope.Run.RequireLeaseAsync(connection, cancellationToken);
        var outcome = await scope.Store.DeleteAllVersionsAsync([.. theirs.Select(ObjectOf)], cancellationToken);
        foreach (var buried in theirs.Where(b => !outcome.IsGone(ObjectOf(b).Key)))
        {
            foreach (var session in buried.Session is { } one ? [one] : held)
                scope.Work.Keep(
                    session,
                    ErasedSession.Held,
                    $"nothing reads it until it is erased, because its tombstone stays: {outcome.Failures[ObjectOf(buried).Key].Message}"
                );
        }
        _written.RemoveAll(w => theirs.Contains(w) && outcome.IsGone(ObjectOf(w).Key));
        await scope.Run.CommitAsync(connection, transaction, cancellationToken);
        if (outcome.Outage is { } outage)
            throw outage;
    }

    private ObjectName ObjectOf(Buried buried) => new(Tombstone.Folder(scope.Source.Prefix) + buried.Name);
}
