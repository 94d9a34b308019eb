using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>What a run writes about objects and archives. Methods that take a connection join the caller's transaction.</summary>
/// <param name="run">The run.</param>
/// <param name="location">Where its objects are, as <c>objects.location</c> has it.</param>
internal sealed class ArchiveLedger(RunContext run, string location)
{
    /// <summary>
    /// For each stem of a session's keys, the highest number of an object that the ledger knows under it; 1 is the plain key, 0 none.
    /// </summary>
    public async Task<IReadOnlyList<int>> LastNumbersAsync(IReadOnlyList<string> stems, CancellationToken cancellationToken)
    {
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        return await connection.QueryAsync(
            ArchiveStatements.LastNumbers,
            row => row.GetInt32(0),
            cancellationToken,
            PgParameter.Text(location),
            PgParameter.Texts(stems)
        );
    }

    /// <summary>Records objects before their upload, in a short transaction of its own; returns their ids in order.</summary>
    public async Task<IReadOnlyList<long>> RecordPendingAsync(IReadOnlyList<PendingObject> objects, CancellationToken cancellationToken)
    {
        if (objects.Count == 0)
            return [];
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        return await connection.QueryAsync(
            ArchiveStatements.InsertPending,
            row => row.GetInt64(0),
            cancellationToken,
            PgParameter.Text(location),
            PgParameter.Text(run.Source.Name),
            PgParameter.Uuid(run.Id),
            PgParameter.Text(objects[0].Layout),
            PgParameter.Texts(objects.Select(o => o.Key)),
            PgParameter.Texts(objects.Select(o => o.Attempt)),
            PgParameter.Texts(objects.Select(o => PgArray.Literal(o.Members))),
            PgParameter.Bigints(objects.Select(o => o.Length)),
            PgParameter.BytesArray(objects.Select(o => o.Sha256))
        );
    }

    /// <summary>Gives a pending object another key before anything was stored under the old one.</summary>
    public async Task RenamePendingAsync(long id, string key, CancellationToken cancellationToken)
    {
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        var renamed = await connection.ExecuteAsync(
            ArchiveStatements.RenamePending,
            cancellationToken,
            PgParameter.Bigint(id),
            PgParameter.Text(key)
        );
        Require(renamed, 1);
    }

    /// <summary>Writes archives; part of the transaction that deletes their rows.</summary>
    public async Task InsertArchivesAsync(
        NpgsqlConnection connection,
        string exportedAt,
        IReadOnlyList<ArchiveRecord> archives,
        CancellationToken cancellationToken
    )
    {
        if (archives.Count == 0)
            return;
        var inserted = await connection.ExecuteAsync(
            ArchiveStatements.InsertArchives,
            cancellationToken,
            PgParameter.Text(run.Source.Name),
            PgParameter.Uuid(run.Id),
            PgParameter.Text(run.Policy.Name),
            PgParameter.Text(exportedAt),
            PgParameter.Texts(archives.Select(a => a.SessionId)),
            PgParameter.Texts(archives.Select(a => a.ExternalId)),
            PgParameter.Ints(archives.Select(a => a.Generation)),
            PgParameter.Texts(archives.Select(a => a.State)),
            PgParameter.Texts(archives.Select(a => a.User)),
            PgParameter.Texts(archives.Select(a => a.Created)),
            PgParameter.Texts(archives.Select(a => a.LastActivity)),
            PgParameter.Bigints(archives.Select(a => a.Messages)),
            PgParameter.Bigints(archives.Select(a => a.Rows)),
            PgParameter.Bigints(archives.Select(a => a.ObjectId)),
            PgParameter.Bigints(archives.Select(a => a.Offset)),
            PgParameter.Bigints(archives.Select(a => a.Length)),
            PgParameter.Bigints(archives.Select(a => a.JsonLength)),
            PgParameter.BytesArray(archives.Select(a => a.JsonSha256)),
            PgParameter.Texts(archives.Select(a => a.Fingerprints)),
            PgParameter.Texts(archives.Select(a => a.Keep)),
            PgParameter.Texts(archives.Select(a => a.Reason)),
            PgParameter.Texts(archives.Select(a => a.Mark)),
            PgParameter.Texts(archives.Select(a => a.FirstActivity == a.Created ? null : a.FirstActivity)),
            PgParameter.Text(run.Source.Map.Session.User),
            PgParameter.Bool(archives.Any(a => a.IsPart))
        );
        Require(inserted, archives.Count);
    }

    /// <summary>Stored sessions whose rows are deleted by this transaction.</summary>
    public static async Task ArchiveStoredAsync(
        NpgsqlConnection connection,
        IReadOnlyList<long> archives,
        CancellationToken cancellationToken
    ) =>
        Require(
            await connection.ExecuteAsync(ArchiveStatements.ArchiveStored, cancellationToken, PgParameter.Bigints(archives)),
            archives.Count
        );

    /// <summary>Whether any of these archives, which were stored, has been archived.</summary>
    public static async Task<bool> AnyArchivedAsync(
        NpgsqlConnection connection,
        IEnumerable<long> archives,
        CancellationToken cancellationToken
    ) => await connection.ScalarAsync<long>(ArchiveStatements.AnyArchived, cancellationToken, PgParameter.Bigints(archives)) > 0;

    /// <summary>Objects that hold at least one session that is now archived or stored.</summary>
    public static async Task MarkStoredAsync(
        NpgsqlConnection connection,
        IReadOnlyDictionary<long, string?> versions,
        CancellationToken cancellationToken
    ) =>
        Require(
            await connection.ExecuteAsync(
                ArchiveStatements.MarkStored,
                cancellationToken,
                PgParameter.Bigints(versions.Keys),
                PgParameter.Texts(versions.Values)
            ),
            versions.Count
        );

    /// <summary>Objects that no session needs; they stay in the store until reconcile may remove them.</summary>
    public static async Task MarkAbandonedAsync(
        NpgsqlConnection connection,
        IReadOnlyList<(long Id, string? VersionId, string Reason)> objects,
        CancellationToken cancellationToken
    ) =>
        await connection.ExecuteAsync(
            ArchiveStatements.MarkAbandoned,
            cancellationToken,
            PgParameter.Bigints(objects.Select(o => o.Id)),
            PgParameter.Texts(objects.Select(o => o.VersionId)),
            PgParameter.Texts(objects.Select(o => o.Reason))
        );

    /// <summary>Adds to the run's counts, in the transaction that did it.</summary>
    public Task CountAsync(NpgsqlConnection connection, RunCounts counts, CancellationToken cancellationToken) =>
        RunJournal.CountAsync(connection, run.Id, counts, cancellationToken);

    /// <summary>Whether this run has committed an archive of any of these sessions in its object.</summary>
    public Task<bool> KnowsAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<(string Session, long Object)> archives,
        CancellationToken cancellationToken
    ) =>
        connection.ScalarAsync<bool>(
            ArchiveStatements.Known,
            cancellationToken,
            PgParameter.Texts(archives.Select(a => a.Session)),
            PgParameter.Bigints(archives.Select(a => a.Object)),
            PgParameter.Uuid(run.Id)
        );

    private static void Require(int changed, int expected)
    {
        if (changed != expected)
            throw new ArchiverException(
                FailureKind.Failed,
                $"The ledger changed {Counted.Of(changed, "row")} where {expected} {(expected == 1 ? "was" : "were")} due: another program "
                    + "works on it. The transaction was rolled back and nothing was deleted."
            );
    }
}
