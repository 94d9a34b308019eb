using System.Net.Sockets;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>
/// Lets the application go first: watches whether anybody waits for a lock of a short transaction, and before such a wait comes to
/// <c>Batch:LockTimeout</c> ends the statement in hand, which rolls the transaction back. Nothing is asked of the server while the
/// transaction is younger than half of that, and most never become so old. The transaction never waits long for its watch: it would hold
/// its locks meanwhile.
/// </summary>
internal sealed class LockCourtesy : IAsyncDisposable
{
    // pg_cancel_backend does nothing between two statements, so it is asked again until the transaction is over. Behind a pooler the
    // process may serve somebody else by then; hence the transaction is named by its start as well.
    private const string GiveWay = """
        SELECT pg_cancel_backend($1)
        WHERE EXISTS (SELECT FROM pg_locks AS w WHERE NOT w.granted AND w.waitstart <= clock_timestamp() - $3
          AND $1 = ANY (pg_blocking_pids(w.pid)))
          AND EXISTS (SELECT FROM pg_stat_activity AS a WHERE a.pid = $1 AND a.xact_start = $2)
        """;

    // An answer that takes longer is no use any more.
    private const string Bounded = "SET statement_timeout = '500ms'";

    /// <summary>Longest wait for one answer. In a healthy network it comes within milliseconds, or with the server's own timeout.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan ShortestPoll = TimeSpan.FromMilliseconds(5);

    private readonly RunContext _run;
    private readonly ServerTransaction _transaction;
    private readonly CancellationTokenSource _stop = new();

    // Taken while a question is with the server, and for good by the end of the transaction or by a question that got no answer.
    private readonly SemaphoreSlim _mayAsk = new(1, 1);
    private readonly Task _watching;
    private Task<bool>? _ended;

    /// <summary>Begins to watch.</summary>
    public LockCourtesy(RunContext run, ServerTransaction transaction)
    {
        (_run, _transaction) = (run, transaction);
        _watching = WatchAsync(_stop.Token);
    }

    /// <summary>Whether somebody waited too long, so that the transaction was to end.</summary>
    public bool GaveWay { get; private set; }

    /// <summary>
    /// Asks nothing more. False when a question may still be on its way, and with it a cancellation: a commit must not be hit by one, it
    /// would stop waiting for a synchronous standby.
    /// </summary>
    public Task<bool> EndAsync() => _ended ??= EndOnceAsync();

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        // What still hangs in the network ends by itself, and nobody waits for it.
        if (_watching.IsCompleted)
        {
            _stop.Dispose();
            _mayAsk.Dispose();
        }
    }

    private async Task<bool> EndOnceAsync()
    {
        _ = _stop.CancelAsync();
        return await _mayAsk.WaitAsync(Patience);
    }

    private async Task WatchAsync(CancellationToken stop)
    {
        var (half, time) = (_run.Batch.LockTimeout / 2, _run.Connections.Time);
        try
        {
            await Task.Delay(half, time, stop);
            // Past any pooler: there the question could queue for the server connection that this very transaction occupies.
            await using var connection = await _run.Connections.OpenDirectAsync(stop);
            using (var bound = new CancellationTokenSource(Patience))
                await connection.ExecuteAsync(Bounded, bound.Token);
            using var poll = new PeriodicTimer(half / 2 > ShortestPoll ? half / 2 : ShortestPoll, time);
            while (await _mayAsk.WaitAsync(0, CancellationToken.None))
            {
                await AskAsync(connection, half);
                await poll.WaitForNextTickAsync(stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The transaction is over.
        }
        catch (Exception exception)
            when (exception is NpgsqlException or OperationCanceledException or TimeoutException or IOException or SocketException)
        {
            // Politeness, not safety: the transaction goes on, within its timeouts, and finds out for itself what the server has.
            _run.Unwatched?.Warn(exception);
        }
    }

    /// <summary>
    /// One question. Without an answer, not even an error, nobody knows whether it still waits to be executed: then there is no other.
    /// </summary>
    private async Task AskAsync(NpgsqlConnection connection, TimeSpan half)
    {
        using var bound = new CancellationTokenSource(Patience);
        try
        {
            GaveWay |= await connection.ScalarAsync<bool>(
                GiveWay,
                bound.Token,
                PgParameter.Int(_transaction.Process),
                PgParameter.Instant(_transaction.Started),
                PgParameter.Interval(half)
            );
        }
        catch (PostgresException exception) when (exception.IsStatementTimeout())
        {
            // Asked again.
        }
        catch (PostgresException)
        {
            _mayAsk.Release();
            throw;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException("The server does not answer.");
        }
        _mayAsk.Release();
    }
}
