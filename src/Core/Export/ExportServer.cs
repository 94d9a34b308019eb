using System.Globalization;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Export;

/// <summary>
/// The server that exports are read from, and the proof, in the export's own snapshot, that its rows are the primary's under the same
/// physical names (docs/protocol.md rule 7). A standby is waited for, bounded, until it has this run's record.
/// </summary>
/// <param name="patience">How long a standby is waited for.</param>
internal sealed class ExportServer(RunContext run, TimeSpan patience, TimeProvider time)
{
    private const string Mark = "UPDATE archiver.runs SET export_mark = export_mark + 1 WHERE id = $1 RETURNING export_mark";

    private const string HasMark = "SELECT EXISTS (SELECT FROM archiver.runs AS r WHERE r.id = $1 AND r.export_mark >= $2)";

    private const string PrimaryTimeline = "SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int";

    private readonly StandbyWait _wait = new(run, patience, time);
    private int? _timeline;

    private bool IsStandby => run.Source.ReplicaConnectionString is not null;

    /// <summary>A connection to the server; it has this run's record.</summary>
    /// <exception cref="ArchiverException">It is not what it has to be, or a standby does not catch up in time.</exception>
    public async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        if (IsStandby)
            _timeline ??= await PrimaryTimelineAsync(cancellationToken);
        var connection = await run.Connections.OpenForExportAsync(cancellationToken);
        try
        {
            if (IsStandby)
                await _wait.UntilAsync(connection, SeesRunAsync, cancellationToken);
            var opened = connection;
            connection = null;
            return opened;
        }
        finally
        {
            if (connection is not null)
                await connection.DisposeAsync();
        }
    }

    /// <summary>Takes the transaction's snapshot and checks it; returns the server's time of it.</summary>
    /// <exception cref="ArchiverException">These are not the rows that the primary would delete.</exception>
    public async Task<string> TakeSnapshotAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var state = await ReadAsync(connection, cancellationToken);
        return state.SeesRun
            ? state.At
            : throw new ArchiverException(
                FailureKind.Failed,
                $"The server that answered the export of source '{run.Source.Name}' does not have this run's own record: it is another "
                    + "database, or one that lags. Nothing was deleted."
            );
    }

    /// <summary>
    /// After an export, outside of its transaction: proves that the standby still followed this primary when it answered. What the primary
    /// writes now reaches no standby that had left for a fork before, whatever timeline it shows or hides.
    /// </summary>
    /// <exception cref="ArchiverException">It does not get there in time.</exception>
    public async Task ConfirmAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (!IsStandby)
            return;
        var mark = await MarkAsync(cancellationToken);
        await _wait.UntilAsync(connection, HasMarkAsync, cancellationToken);

        async Task<bool> HasMarkAsync(NpgsqlConnection standby, CancellationToken token)
        {
            if (await standby.ScalarAsync<bool>(HasMark, token, PgParameter.Uuid(run.Id), PgParameter.Bigint(mark)))
                return true;
            // It will never come to one that was promoted: that is said at once.
            await ReadAsync(standby, token);
            return false;
        }
    }

    private async Task<long> MarkAsync(CancellationToken cancellationToken)
    {
        await using var primary = await run.Connections.OpenAsync(cancellationToken);
        return await primary.ScalarAsync<long>(Mark, cancellationToken, PgParameter.Uuid(run.Id));
    }

    /// <summary>Lets an error of the replica's server name the replica: the boundary of the run knows the primary only.</summary>
    public async Task<T> NamedAsync<T>(Func<Task<T>> export)
    {
        try
        {
            return await export();
        }
        catch (Exception exception)
            when (IsStandby
                && (
                    exception is PostgresException e
                        ? !e.IsAboutOneBatch()
                        : exception is NpgsqlException or TimeoutException or IOException
                )
            )
        {
            throw run.Connections.ForPersonAboutReplica(exception);
        }
    }

    private async Task<bool> SeesRunAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            return (await ReadAsync(connection, cancellationToken)).SeesRun;
        }
        catch (PostgresException exception)
            when (exception.SqlState
                    is PostgresErrorCodes.UndefinedTable
                        or PostgresErrorCodes.InvalidSchemaName
                        or PostgresErrorCodes.UndefinedColumn
            )
        {
            // Not even the ledger has got there.
            return false;
        }
    }

    private async Task<ServerState> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var state = await ServerState.ReadAsync(connection, run.Id, cancellationToken);
        if (state.SystemId != run.Database.SystemId)
            throw Refusal("is of another cluster than the primary");
        if (IsStandby && !state.InRecovery)
            throw Refusal("is not a standby, or was promoted to a primary of its own");
        // Same cluster, same past, this run's record: yet since the fork the same physical name may be another row.
        if (IsStandby && state.Timeline > _timeline)
            throw Refusal(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"follows another primary (timeline {state.Timeline}, the primary's is {_timeline})"
                )
            );
        return state;
    }

    private async Task<int> PrimaryTimelineAsync(CancellationToken cancellationToken)
    {
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        return await connection.ScalarAsync<int>(PrimaryTimeline, cancellationToken);
    }

    private ArchiverException Refusal(string what) =>
        new(
            FailureKind.Failed,
            $"The server of Archiver:Sources:{run.Source.Name}:{(IsStandby ? "ReplicaConnectionString" : "ConnectionString")} {what}. "
                + "Nothing more was exported or deleted; what was committed before stays archived."
        );
}
