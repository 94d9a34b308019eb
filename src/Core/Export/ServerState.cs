using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Export;

/// <summary>What a server that answers an export says of itself, in the export's snapshot.</summary>
/// <param name="SeesRun">It has the run's record.</param>
/// <param name="SystemId">Its cluster.</param>
/// <param name="InRecovery">It is a standby.</param>
/// <param name="Timeline">
/// Of a standby: the one it receives, as far as the role may see that, and those it has replayed into. A fork has a higher one.
/// </param>
/// <param name="At">Its time, as an instant in UTC.</param>
internal sealed record ServerState(bool SeesRun, string SystemId, bool InRecovery, int Timeline, string At)
{
    private const string Snapshot = """
        SELECT EXISTS (SELECT FROM archiver.runs AS r WHERE r.id = $1),
               (SELECT c.system_identifier::text FROM pg_control_system() AS c),
               pg_is_in_recovery(),
               CASE WHEN pg_is_in_recovery() THEN greatest(
                 (SELECT c.timeline_id FROM pg_control_checkpoint() AS c),
                 (SELECT r.min_recovery_end_timeline FROM pg_control_recovery() AS r),
                 (SELECT max(w.received_tli) FROM pg_stat_wal_receiver AS w)) ELSE 0 END,
               to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        """;

    public static async Task<ServerState> ReadAsync(NpgsqlConnection connection, Guid run, CancellationToken cancellationToken) =>
        (
            await connection.QueryAsync(
                Snapshot,
                row => new ServerState(row.GetBoolean(0), row.GetString(1), row.GetBoolean(2), row.GetInt32(3), row.GetString(4)),
                cancellationToken,
                PgParameter.Uuid(run)
            )
        )[0];
}
