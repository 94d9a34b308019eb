using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Import;

/// <summary>What a restore into the source itself writes to the ledger, in the transaction that brings the rows back.</summary>
/// <param name="lease">Checked last; null where whoever commits checks one.</param>
internal sealed class RestoreRecords(SourceSettings source, Guid run, Lease? lease, string who)
{
    // What was restored before and is still there keeps its time: nothing was done to it. Rows that were inserted get a grace of their own.
    private const string MarkRestored = $"""
        UPDATE archiver.archives AS a
        SET state = 'restored',
            restored_at = CASE WHEN a.state <> 'restored' OR a.id = ANY ($2) THEN clock_timestamp() ELSE a.restored_at END
        WHERE a.id = ANY ($1) AND a.state IN {ArchiveStates.Readable}
        """;

    // Another generation that says that the session's rows are gone would be wrong from now on. What parts hold is in no other archive, nor
    // what the archives of a session without a row hold: except that which this transaction made of the rows that gave way.
    private const string MarkSuperseded = """
        UPDATE archiver.archives AS a
        SET state = 'superseded', reason = 'another generation was restored', ended_at = clock_timestamp()
        WHERE a.source = $1 AND a.session_id = ANY ($2) AND a.state = 'archived' AND NOT a.part AND a.id <> ALL ($3)
          AND ($4 OR a.archived_at >= transaction_timestamp())
        """;

    private const string Written = "SELECT count(*) FROM archiver.audit AS a WHERE a.run_id = $1 AND a.action = 'restore'";

    private const string Count = "UPDATE archiver.runs SET sessions_done = sessions_done + $2, bytes_json = bytes_json + $3 WHERE id = $1";

    private int _committed;

    /// <summary>Part of the importing transaction, before its commit. What was refused has no part in it.</summary>
    /// <exception cref="ArchiverException">
    /// An archive was discarded or erased meanwhile, or the lock is lost: nothing may be committed.
    /// </exception>
    public async Task WriteAsync(NpgsqlConnection connection, IReadOnlyList<ImportedSession> imported, CancellationToken cancellationToken)
    {
        List<StagedSession> restored = [.. imported.Where(i => i.Outcome == ImportOutcome.Restored).Select(i => i.Session)];
        List<StagedSession> sessions =
        [
            .. restored,
            .. imported.Where(i => i.Outcome == ImportOutcome.AlreadyThere).Select(i => i.Session),
        ];
        if (sessions.Count == 0)
            return;
        var archives = ArchivesOf(sessions);
        var marked = await connection.ExecuteAsync(
            MarkRestored,
            cancellationToken,
            PgParameter.Bigints(archives),
            PgParameter.Bigints(ArchivesOf(restored))
        );
        if (marked != archives.Count)
            throw new ArchiverException(
                FailureKind.Failed,
                $"An archive of source '{source.Name}' was discarded or erased while it was being restored. The batch in hand was "
                    + "rolled back."
            );
        await connection.ExecuteAsync(
            MarkSuperseded,
            cancellationToken,
            PgParameter.Text(source.Name),
            PgParameter.Texts(sessions.Where(s => !s.Header.IsPart).Select(s => s.Key)),
            PgParameter.Bigints(archives),
            PgParameter.Bool(source.Map.Session.HasRow)
        );
        await connection.ExecuteAsync(
            Count,
            cancellationToken,
            PgParameter.Uuid(run),
            PgParameter.Bigint(restored.Count),
            PgParameter.Bigint(restored.Sum(s => s.JsonLength))
        );
        FaultPoint.Reach(FaultPoints.RestoreMarked);
        var counts = new Dictionary<string, long> { ["sessions"] = restored.Count, ["rows"] = restored.Sum(s => s.Rows) };
        await AuditLog.WriteAsync(connection, new(who, "restore", source.Name, RunId: run, Counts: counts), cancellationToken);
        if (lease is not null)
            await lease.RequireAsync(connection, source.Name, "The batch in hand was rolled back.", cancellationToken);
    }

    /// <summary>
    /// Whether the ledger shows, on another connection, that the transaction of the last <see cref="WriteAsync"/> was committed.
    /// </summary>
    public async Task<bool> AreWrittenAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await connection.ScalarAsync<long>(Written, cancellationToken, PgParameter.Uuid(run)) > _committed;

    /// <summary>Notes that it was.</summary>
    public void Committed() => _committed++;

    private static List<long> ArchivesOf(IEnumerable<StagedSession> sessions) =>
        [.. sessions.Select(s => s.Candidate.Archive?.Id).OfType<long>()];
}
