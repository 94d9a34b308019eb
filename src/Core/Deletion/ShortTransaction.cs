using System.Data;
using System.Runtime.ExceptionServices;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>
/// The frame of every transaction in which a run deletes or marks rows: READ COMMITTED on purpose (rows that committed while a lock was
/// waited for must be seen), bounded in time, given up when the application waits for it, and committed only while the run's lease is held.
/// </summary>
internal sealed class ShortTransaction : IAsyncDisposable
{
    /// <summary>Times that a single session may make the application wait in one run, and that work may break its connection.</summary>
    private const int MostTimes = 3;

    private readonly RunContext _run;
    private readonly ServerTransaction _known;
    private readonly LockCourtesy _courtesy;

    private ShortTransaction(RunContext run, NpgsqlConnection connection, NpgsqlTransaction transaction, ServerTransaction known)
    {
        _run = run;
        _known = known;
        _courtesy = new LockCourtesy(run, known);
        Connection = connection;
        Transaction = transaction;
    }

    public NpgsqlConnection Connection { get; }

    public NpgsqlTransaction Transaction { get; }

    /// <summary>
    /// Does work in a transaction. When it had to give way to the application, it lets that go first for as long as it may have waited, and
    /// tries a single session again: one that is in use will have changed. One that makes somebody wait each time is too slow.
    /// When its connection breaks on a server that is well, it is tried again a few times, however long that takes; then it is the work
    /// that breaks it, such as a trigger, and the caller tries the parts. A server that fails is another matter: that goes on to the
    /// caller's retries.
    /// </summary>
    /// <param name="run">The run.</param>
    /// <param name="rows">Rows that it will touch: one large session may take as much longer as it is larger than a batch.</param>
    /// <param name="single">Whether it cannot be divided; else the caller tries less at a time.</param>
    /// <param name="work">What is to be done, including the commit.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="PostgresException">
    /// Also when it gave way, as a statement that timed out, and when its connection breaks each time.
    /// </exception>
    public static async Task<T> RunAsync<T>(
        RunContext run,
        long rows,
        bool single,
        Func<ShortTransaction, Task<T>> work,
        CancellationToken cancellationToken
    )
    {
        for (var times = 1; ; times++)
        {
            PostgresException refused;
            var again = single;
            var transaction = await BeginAsync(run, rows, cancellationToken);
            await using (transaction)
            {
                try
                {
                    return await work(transaction);
                }
                catch (PostgresException exception) when (exception.IsStatementTimeout())
                {
                    if (!await transaction.GaveWayAsync())
                        throw;
                    refused = exception;
                }
                catch (Exception exception) when (PgErrors.IsTransient(exception) && transaction.Connection.State != ConnectionState.Open)
                {
                    await transaction._known.EndAsync(run.Connections);
                    if (!await IsServerWellAsync(run, cancellationToken))
                        throw;
                    again = true;
                    refused = PgErrors.OfBrokenConnection(exception);
                }
            }
            await Task.Delay(run.Batch.LockTimeout, run.Connections.Time, cancellationToken);
            if (!again || times == MostTimes)
                ExceptionDispatchInfo.Throw(refused);
        }
    }

    /// <summary>
    /// The run's lock lives on another connection: then it is not the server that broke this one, but what was done on it, or the network.
    /// </summary>
    private static async Task<bool> IsServerWellAsync(RunContext run, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await run.Connections.OpenAsync(cancellationToken);
            return await run.Lease.IsHeldAsync(connection, cancellationToken);
        }
        catch (Exception exception) when (PgErrors.IsTransient(exception))
        {
            return false;
        }
    }

    private static async Task<ShortTransaction> BeginAsync(RunContext run, long rows, CancellationToken cancellationToken)
    {
        var zone = await run.Connections.ApplicationZoneAsync(cancellationToken);
        var connection = await run.Connections.OpenAsync(cancellationToken);
        try
        {
            await SynchronousStandby.RequireAsync(connection, cancellationToken);
            var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);
            await connection.ExecuteAsync(
                $"{ApplicationPath.Remember(zone)} {TransactionSettings.Export} {TransactionSettings.Change} "
                    + $"{ShortTimeouts.Sql(run.Batch, rows)}",
                cancellationToken
            );
            return new(run, connection, transaction, await ServerTransaction.OfAsync(connection, cancellationToken));
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Proves the lease and commits; when the answer is lost, finds out what happened.</summary>
    /// <param name="recorded">Whether the ledger shows, on a new connection, that this very transaction was committed.</param>
    /// <param name="cancellationToken">Gives up before the commit is sent, not after.</param>
    /// <exception cref="ArchiverException">The lease is lost: nothing was changed, and nothing more may be.</exception>
    /// <exception cref="NpgsqlException">The server failed, or its watch does not end: nothing was changed.</exception>
    public async Task CommitAsync(Func<NpgsqlConnection, CancellationToken, Task<bool>> recorded, CancellationToken cancellationToken)
    {
        if (!await _courtesy.EndAsync())
            throw new NpgsqlException("The server does not answer who waits for this transaction.", new TimeoutException());
        await new CommitOutcome(
            _run.Connections.Time,
            _run.Connections.OpenAsync,
            $"The server of source '{_run.Source.Name}' did not answer a commit, nor what became of it. Its sessions are either wholly "
                + "live or wholly archived; the ledger says which, and the next run goes on from there.",
            (other, _, token) => recorded(other, token)
        ).CommitAsync(Connection, Transaction, RequireLeaseAsync, cancellationToken);
    }

    /// <summary>
    /// Ends the transaction and its locks; says whether it was for the application's sake that a statement was cancelled.
    /// </summary>
    private async Task<bool> GaveWayAsync()
    {
        // First, because the error freed only what was locked since the last savepoint.
        await Transaction.DisposeAsync();
        // The error may be here before the watch has heard that it brought it about.
        await _courtesy.EndAsync();
        return _courtesy.GaveWay;
    }

    public async ValueTask DisposeAsync()
    {
        var alone = false;
        try
        {
            await Transaction.DisposeAsync();
            // At some codes the driver gives up a connection that the server keeps, and with it the locks.
            if (Connection.State != ConnectionState.Open)
                await _known.EndAsync(_run.Connections);
            alone = await _courtesy.EndAsync();
            await _courtesy.DisposeAsync();
        }
        finally
        {
            // A late cancellation must find nobody else on this connection: it is closed instead of being used again.
            if (!alone)
                NpgsqlConnection.ClearPool(Connection);
            await Connection.DisposeAsync();
        }
    }

    /// <summary>Last, as close to the commit as can be: a worker that slept, or a server that failed over, must find out here.</summary>
    private async Task RequireLeaseAsync(CancellationToken cancellationToken)
    {
        await _run.Lease.RequireAsync(
            Connection,
            _run.Source.Name,
            "The batch in hand was rolled back; nothing of it was deleted.",
            cancellationToken
        );
        FaultPoint.Reach(FaultPoints.DeleteReady);
    }
}
