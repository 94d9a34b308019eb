using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Purge;

/// <summary>What a batch of a purge or an expiry leaves in the ledger, in its own transaction.</summary>
internal static class LifecycleRecords
{
    private const string Count = "SELECT count(*) FROM archiver.audit AS a WHERE a.run_id = $1";

    public static async Task WriteAsync(
        NpgsqlConnection connection,
        RunContext run,
        string action,
        long sessions,
        long rows,
        CancellationToken cancellationToken
    )
    {
        await RunJournal.CountAsync(connection, run.Id, new(sessions, rows), cancellationToken);
        var counts = new Dictionary<string, long> { ["sessions"] = sessions, ["rows"] = rows };
        await AuditLog.WriteAsync(
            connection,
            new(RunJournal.WorkerName, action, run.Source.Name, run.Policy.Name, run.Id, Counts: counts),
            cancellationToken
        );
    }

    /// <summary>Entries of the run: one a commit, so a commit whose answer was lost is known by their number.</summary>
    public static Task<long> CountAsync(NpgsqlConnection connection, RunContext run, CancellationToken cancellationToken) =>
        connection.ScalarAsync<long>(Count, cancellationToken, PgParameter.Uuid(run.Id));
}
