using Archiver.Core.Diagnostics;
using Npgsql;

namespace Archiver.Core.Postgres;

/// <summary>
/// Notices a missing synchronous standby before a batch (docs/protocol.md rule 15): the commit would wait for it with all locks held, and
/// the application with it.
/// </summary>
internal static class SynchronousStandby
{
    // A role without pg_read_all_stats sees no sync_state and cannot tell: then the commit is tried. No backslash: this is asked before
    // the transaction says what one means.
    private const string Ready = """
        SELECT current_setting('synchronous_standby_names') = ''
            OR current_setting('synchronous_commit') IN ('off', 'local')
            OR NOT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
            OR (SELECT count(*) FROM pg_stat_replication AS r WHERE r.sync_state IN ('sync', 'quorum'))
               >= coalesce(substring(current_setting('synchronous_standby_names') FROM '([0-9]+)[[:space:]]*[(]')::int, 1)
        """;

    /// <exception cref="ArchiverException">Too few synchronous standbys are connected.</exception>
    public static async Task RequireAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (!await connection.ScalarAsync<bool>(Ready, cancellationToken))
            throw new ArchiverException(
                FailureKind.Failed,
                "A synchronous standby named in synchronous_standby_names is not connected: a commit would hang with its locks held. "
                    + "Nothing was deleted."
            );
    }
}
