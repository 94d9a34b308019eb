using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Archiver.Core.Tombstones;
using Npgsql;

namespace Archiver.Core.Lifecycle;

/// <summary>What an erasure is about: looked for in the tables, the ledger and the bucket. Changes nothing.</summary>
internal sealed class EraseFinder(IArchiveStore store, TimeSpan lockTimeout)
{
    /// <summary>The source as it is now.</summary>
    /// <exception cref="ArchiverException">It is not fit.</exception>
    public async Task<SourceShape> InspectAsync(NpgsqlConnection connection, SourceSettings source, CancellationToken cancellationToken) =>
        (await SourceInspector.InspectAsync(connection, source, cancellationToken, lockTimeout).ConfigureAwait(false)).Require(source.Name);

    /// <summary>Everything that belongs to the sessions that the request names, without what is held.</summary>
    /// <exception cref="ArchiverException">The tombstones cannot be read.</exception>
    public async Task<EraseWork> FindAsync(
        NpgsqlConnection connection, SourceSettings source, SourceShape shape, DatabaseIdentity database, EraseRequest request, CancellationToken cancellationToken)
    {
        var tombstones = await new TombstoneReader(store).LoadAsync(source, connection, cancellationToken).ConfigureAwait(false);
        var targets = new EraseTargets(connection, source, shape, database, store);
        await targets.ReadUnrecordedAsync(cancellationToken).ConfigureAwait(false);
        var work = new EraseWork(targets.Unrecorded, [.. tombstones.Tombstones.Select(t => t.Name)]);
        if (request.Reapply)
        {
            var (erased, reused) = await targets.OfTombstonesAsync(tombstones, cancellationToken).ConfigureAwait(false);
            work.Add(erased);
            work.Add(reused);
            foreach (var session in reused)
                work.Keep(session, ErasedSession.Remaining, EraseWork.Reused);
        }
        if (request.User is not null)
            work.Add(await targets.OfUserAsync(request.User, cancellationToken).ConfigureAwait(false));
        var ids = new SessionIds(connection, source, shape);
        foreach (var id in request.Ids)
        {
            List<string> found = [.. await ids.FindAsync(id, cancellationToken).ConfigureAwait(false)];
            if (found.Count == 0 && targets.IsUnrecorded(id))
                found.Add(id);
            work.Add(found);
            if (found.Count == 0)
                (tombstones.Covers(await ids.CanonicalAsync(id, cancellationToken).ConfigureAwait(false) ?? id, null, null, null) ? work.ErasedBefore : work.Unknown).Add(id);
        }
        foreach (var session in await HeldSessions.FindAsync(connection, source, shape, work.Free, cancellationToken).ConfigureAwait(false))
            work.Keep(session, ErasedSession.Held, "under a legal hold");
        return work;
    }

    /// <summary>Live rows of the sessions, in all tables.</summary>
    public static async Task<long> CountRowsAsync(NpgsqlConnection connection, SourceSettings source, SourceShape shape, IReadOnlyCollection<string> sessions, CancellationToken cancellationToken)
    {
        var condition = $"= ANY ($1::{shape.KeyType(source.Map)}[])";
        var rows = await connection.ScalarAsync<long>(
            $"SELECT count(*) FROM {source.Map.Session.Table.Sql} AS s WHERE {SessionPath.Column("s", source.Map.Session.Key)} {condition}", cancellationToken, PgParameter.Texts(sessions)).ConfigureAwait(false);
        foreach (var child in source.Map.Children)
        {
            var path = SessionPath.Of(source.Map, child);
            rows += await connection.ScalarAsync<long>($"SELECT count(*) FROM {path.From(child)} WHERE {path.Where(condition)}", cancellationToken, PgParameter.Texts(sessions)).ConfigureAwait(false);
        }
        return rows;
    }
}
