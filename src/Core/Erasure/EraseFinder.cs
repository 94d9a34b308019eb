using Archiver.Core.Bucket;
using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Holds;
using Archiver.Core.Inspection;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Reconciliation;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Erasure;

/// <summary>What an erasure is about: looked for in the tables, the ledger and the bucket. Changes nothing.</summary>
internal sealed class EraseFinder(IArchiveStore store, TimeSpan lockTimeout)
{
    /// <summary>The source as it is now.</summary>
    /// <exception cref="ArchiverException">It is not fit.</exception>
    public async Task<(SourceSettings Source, SourceShape Shape)> InspectAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        CancellationToken cancellationToken
    )
    {
        var inspection = await SourceInspector.InspectAsync(connection, source, cancellationToken, lockTimeout);
        return (inspection.Source, inspection.Require(source.Name));
    }

    /// <summary>Everything that belongs to the sessions that the request names, without what is held.</summary>
    /// <exception cref="ArchiverException">
    /// The tombstones cannot be read, or the store does not have what the ledger knows: it is not the store that was written to.
    /// </exception>
    public async Task<EraseWork> FindAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        SourceShape shape,
        DatabaseIdentity database,
        EraseRequest request,
        CancellationToken cancellationToken
    )
    {
        await StoreWitness.RequireAsync(connection, store, source, cancellationToken);
        var tombstones = await new TombstoneReader(store).LoadAsync(source, connection, cancellationToken);
        var unrecorded = new UnrecordedObjects(connection, source, database, store);
        await unrecorded.ReadAsync(cancellationToken);
        var targets = new EraseTargets(connection, source, shape, store, unrecorded.Ours);
        var work = new EraseWork(unrecorded.Ours, [.. tombstones.Tombstones.Select(t => t.Name)]);
        if (request.Reapply)
        {
            var (erased, reused) = await new ErasedAgain(connection, source, shape, unrecorded.Ours).FindAsync(
                tombstones,
                cancellationToken
            );
            work.Add(erased);
            work.Add(reused);
            foreach (var session in reused)
                work.Keep(session, ErasedSession.Remaining, EraseWork.Reused);
        }
        if (request.User is { } user)
        {
            var sessions = await targets.OfUserAsync(user, cancellationToken);
            work.Add(sessions);
            work.Owners.AddRange(targets.Owners);
            work.Unresolved.AddRange(targets.Unresolved);
            foreach (var session in targets.Others)
                work.Keep(session, ErasedSession.Remaining, EraseWork.Anothers);
            if (sessions.Count == 0)
                (tombstones.CoversUser(user) ? work.ErasedBefore : work.Unknown).Add(user);
        }
        var (ids, given) = (new SessionIds(connection, source, shape), new GivenIds(connection, source.Map));
        foreach (var id in request.Ids)
        {
            var key = await given.KeyAsync(id, cancellationToken) ?? id;
            var found = await ids.OfKeyAsync(id, cancellationToken);
            if (found.Count == 0 && targets.IsUnrecorded(key))
                found = [key];
            // Once the session of that key is erased, the same command again must not take another one for it.
            if (found.Count == 0 && !tombstones.CoversSession(key))
                found = await ids.OfExternalIdAsync(id, cancellationToken);
            work.Add(found);
            if (found.Count == 0)
                (tombstones.CoversSession(key) ? work.ErasedBefore : work.Unknown).Add(id);
        }
        work.Unresolved.AddRange(unrecorded.Unreadable);
        var theirs = request.User is null
            ? (IReadOnlySet<string>)new HashSet<string>()
            : await SameUser.AmongAsync(
                connection,
                SameUser.Column(source.Map, shape),
                request.User,
                unrecorded.Others.SelectMany(o => o.Found.Documents).Select(d => d.User),
                cancellationToken
            );
        foreach (
            var (found, reason) in unrecorded.Others.Where(o =>
                o.Found.Documents.Any(d => IsAskedFor(d, request, theirs, work, tombstones))
            )
        )
            work.Unresolved.Add($"'{found.Key}' holds a session that is to be erased, and stays: {reason}");
        work.Unresolved.AddRange(await UntiedAsync(connection, source, shape, cancellationToken));
        foreach (var session in await HeldSessions.FindAsync(connection, source, shape, work.Free, cancellationToken))
            work.Keep(session, ErasedSession.Held, "under a legal hold");
        return work;
    }

    private static bool IsAskedFor(
        FoundDocument document,
        EraseRequest request,
        IReadOnlySet<string> users,
        EraseWork work,
        TombstoneSet tombstones
    ) =>
        work.IsFree(document.SessionId)
        || request.Ids.Contains(document.SessionId)
        || (document.User is { } user && users.Contains(user))
        || (request.Reapply && tombstones.Covers(document.SessionId, document.User, null, document.ArchivedAt));

    /// <summary>
    /// Rows that no session can be named for: of a table that is tied to its session by another row, which is gone. Nobody can tell that
    /// they are not the person's.
    /// </summary>
    private static async Task<IReadOnlyList<string>> UntiedAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        SourceShape shape,
        CancellationToken cancellationToken
    )
    {
        List<string> untied = [];
        foreach (var child in source.Map.Children.Where(c => SessionPath.Of(source.Map, shape, c).Joins.Count > 0))
        {
            var rows = await OrphanRows.CountAsync(connection, source.Map, shape, child, cancellationToken);
            if (rows > 0)
                untied.Add(
                    rows == 1
                        ? $"1 row of '{child.Name}' has no parent row, so nobody can tell whose it is: delete it, or give it its parent"
                        : $"{rows} rows of '{child.Name}' have no parent row, so nobody can tell whose they are: delete them, or give them "
                            + "their parent"
                );
        }
        return untied;
    }

    /// <summary>Live rows of the sessions, in all tables.</summary>
    public static async Task<long> CountRowsAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        SourceShape shape,
        IReadOnlyCollection<string> sessions,
        CancellationToken cancellationToken
    )
    {
        var form = KeyForm.Of(source.Map, shape);
        var keys = KeyMatch.Among(form, "$1");
        var rows = await connection.ScalarAsync<long>(
            $"SELECT count(*) FROM {source.Map.Session.Sql} AS s WHERE {keys.Sql(shape.KeyOf(source.Map, "s"))}",
            cancellationToken,
            form.Parameter(sessions)
        );
        foreach (var child in source.Map.Children)
        {
            var path = SessionPath.Of(source.Map, shape, child);
            rows += await connection.ScalarAsync<long>(
                $"SELECT count(*) FROM {path.From(child)} WHERE {path.Where(keys)}",
                cancellationToken,
                form.Parameter(sessions)
            );
        }
        return rows;
    }
}
