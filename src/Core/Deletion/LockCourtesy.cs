using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>
/// Lets the application go first: watches whether anybody waits for a lock of a short transaction, and before such a wait comes to
/// <c>Batch:LockTimeout</c> ends the statement in hand, which rolls the transaction back. Nothing is asked of the server while the transaction
/// is younger than half of that, and most never become so old.
/// </summary>
internal sealed class LockCourtesy : IAsyncDisposable
{
    // pg_cancel_backend does nothing between two statements, so it is asked again until the transaction is over. Behind a pooler the process
    // may serve somebody else by then; hence the transaction is named by its start as well.
    private const string GiveWay = """
        SELECT pg_cancel_backend($1)
        WHERE EXISTS (SELECT FROM pg_locks AS w WHERE NOT w.granted AND w.waitstart <= clock_timestamp() - $3 AND $1 = ANY (pg_blocking_pids(w.pid)))
          AND EXISTS (SELECT FROM pg_stat_activity AS a WHERE a.pid = $1 AND a.xact_start = $2)
        """;

    private static readonly TimeSpan ShortestPoll = TimeSpan.FromMilliseconds(5);

    private readonly RunContext _run;
    private readonly int _process;
    private readonly DateTimeOffset _started;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;

    private LockCourtesy(RunContext run, int process, DateTimeOffset started)
    {
        (_run, _process, _started) = (run, process, started);
        _watching = WatchAsync();
    }

    /// <summary>Whether somebody waited too long, so that the transaction was to end.</summary>
    public bool GaveWay { get; private set; }

    /// <summary>Begins to watch the transaction that the connection is in.</summary>
    public static async Task<LockCourtesy> BeginAsync(RunContext run, NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // Not the driver's process id: a pooler shows its own.
        var (process, started) = (await connection.QueryAsync(
            "SELECT pg_backend_pid(), now()", row => (row.GetInt32(0), row.GetFieldValue<DateTimeOffset>(1)), cancellationToken).ConfigureAwait(false))[0];
        return new(run, process, started);
    }

    /// <summary>Returns when no cancellation can come any more. A commit must not be hit: it would stop waiting for a synchronous standby.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_watching.IsCompleted && _stop.IsCancellationRequested)
            return;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task WatchAsync()
    {
        var half = _run.Batch.LockTimeout / 2;
        try
        {
            await Task.Delay(half, _stop.Token).ConfigureAwait(false);
            await using var connection = await _run.Connections.OpenAsync(_stop.Token).ConfigureAwait(false);
            using var poll = new PeriodicTimer(half / 2 > ShortestPoll ? half / 2 : ShortestPoll);
            do
            {
                // Not cancelled half-way, lest the cancellation hit what the pool gives this connection to next.
                GaveWay |= await connection.ScalarAsync<bool>(
                    GiveWay, CancellationToken.None, PgParameter.Int(_process), PgParameter.Instant(_started), PgParameter.Interval(half)).ConfigureAwait(false);
            }
            while (await poll.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The transaction is over.
        }
        catch (Exception exception) when (PgErrors.IsTransient(exception) || exception is NpgsqlException)
        {
            // Politeness, not safety: the transaction goes on, within its timeouts, and finds out for itself what the server has.
        }
    }
}
