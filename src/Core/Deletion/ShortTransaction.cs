using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>
/// The frame of every transaction in which a run deletes or marks rows: READ COMMITTED on purpose (rows that committed while a lock was
/// waited for must be seen), bounded in time, given up when the application waits for it, and committed only while the run's lease is held.
/// </summary>
internal sealed class ShortTransaction : IAsyncDisposable
{
    /// <summary>A worker that stands still between two statements keeps its locks no longer; what it does there takes milliseconds.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly RunContext _run;
    private readonly LockCourtesy _courtesy;

    private ShortTransaction(RunContext run, NpgsqlConnection connection, NpgsqlTransaction transaction, LockCourtesy courtesy)
    {
        _run = run;
        _courtesy = courtesy;
        Connection = connection;
        Transaction = transaction;
    }

    public NpgsqlConnection Connection { get; }

    public NpgsqlTransaction Transaction { get; }

    /// <param name="run">The run.</param>
    /// <param name="rows">Rows that it will touch: one large session may take as much longer as it is larger than a batch.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<ShortTransaction> BeginAsync(RunContext run, long rows, CancellationToken cancellationToken)
    {
        var connection = await run.Connections.OpenAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await SynchronousStandby.RequireAsync(connection, cancellationToken).ConfigureAwait(false);
            var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
            await connection.ExecuteAsync($"{TransactionSettings.Export} {Timeouts(run, rows)}", cancellationToken).ConfigureAwait(false);
            return new(run, connection, transaction, await LockCourtesy.BeginAsync(run, connection, cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Does the work of the transaction, unless it has to give way to the application.</summary>
    /// <param name="work">What it is for.</param>
    /// <param name="inUse">What it comes to when it gave way and nothing smaller can be tried; null when fewer sessions at a time can.</param>
    /// <exception cref="PostgresException">Also when it gave way, as a statement that timed out.</exception>
    public async Task<T> UnlessAwaitedAsync<T>(Func<Task<T>> work, Func<T>? inUse)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.IsStatementTimeout() && inUse is not null)
        {
            // The error may be here before the watch has heard that it brought it about.
            await _courtesy.DisposeAsync().ConfigureAwait(false);
            if (!_courtesy.GaveWay)
                throw;
            return inUse();
        }
    }

    /// <summary>Proves the lease and commits; when the answer is lost, finds out what happened.</summary>
    /// <param name="recorded">Whether the ledger shows, on a new connection, that this very transaction was committed.</param>
    /// <param name="cancellationToken">Gives up before the commit is sent, not after.</param>
    /// <exception cref="ArchiverException">The lease is lost: nothing was changed, and nothing more may be.</exception>
    public async Task CommitAsync(Func<NpgsqlConnection, CancellationToken, Task<bool>> recorded, CancellationToken cancellationToken)
    {
        // Last, as close to the commit as can be: a worker that slept, or a server that failed over, must find out here.
        if (!await _run.Lease.IsHeldAsync(Connection, cancellationToken).ConfigureAwait(false))
            throw new ArchiverException(FailureKind.Failed,
                $"The run's lock on source '{_run.Source.Name}' was lost (server restarted or failed over, connection cut, or this worker was suspended). The batch in hand was rolled back; nothing of it was deleted.");
        await _courtesy.DisposeAsync().ConfigureAwait(false);
        FaultPoint.Reach(FaultPoints.DeleteReady);
        await new CommitOutcome(_run, recorded).CommitAsync(Connection, Transaction, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _courtesy.DisposeAsync().ConfigureAwait(false);
        await Transaction.DisposeAsync().ConfigureAwait(false);
        await Connection.DisposeAsync().ConfigureAwait(false);
    }

    private static string Timeouts(RunContext run, long rows) =>
        TransactionSettings.Timeout("statement_timeout", run.Batch.StatementTimeout * Math.Max(1.0, (double)rows / run.Batch.Rows))
        + TransactionSettings.Timeout("lock_timeout", run.Batch.LockTimeout)
        + TransactionSettings.Timeout("idle_in_transaction_session_timeout", run.Batch.StatementTimeout < LongestPause ? run.Batch.StatementTimeout : LongestPause);
}
