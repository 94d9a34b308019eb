using System.Buffers.Binary;
using System.Security.Cryptography;
using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Sources;

/// <summary>
/// The right to run on one source (and shard): an advisory lock on a connection of its own, with the run's <see cref="Lease"/> beside it.
/// The connection is pinged; when it is lost, <see cref="Lost"/> is cancelled and no destructive transaction of the run can commit any
/// more.
/// </summary>
internal sealed class SourceLock : IAsyncDisposable
{
    private static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(15);

    /// <summary>Server side: a worker that hangs without dying loses its lock after this long.</summary>
    private const string Settings = "SET idle_session_timeout = '120s'; SET statement_timeout = 0; SET lock_timeout = 0";

    private readonly NpgsqlConnection _connection;
    private readonly string _source;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _lost = new();
    private readonly Task _pinging;

    private SourceLock(NpgsqlConnection connection, Lease lease, string source, TimeProvider time)
    {
        _connection = connection;
        _source = source;
        Lease = lease;
        _pinging = PingAsync(time);
    }

    /// <summary>Checked by every destructive transaction.</summary>
    public Lease Lease { get; }

    /// <summary>Cancelled when the lock connection is gone.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Does work that stops when the lock is lost.</summary>
    /// <param name="work">The work.</param>
    /// <param name="cancellationToken">Stops it for another reason.</param>
    /// <exception cref="ArchiverException">The lock was lost: nobody has asked to stop.</exception>
    public async Task<T> WhileHeldAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, Lost);
        try
        {
            return await work(stop.Token);
        }
        catch (OperationCanceledException) when (Lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ArchiverException(
                FailureKind.Failed,
                $"The lock on source '{_source}' was lost: its connection to the server broke. "
                    + "What was committed before stays done; run it again."
            );
        }
    }

    /// <inheritdoc cref="WhileHeldAsync{T}"/>
    public Task WhileHeldAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken) =>
        WhileHeldAsync(
            async token =>
            {
                await work(token);
                return true;
            },
            cancellationToken
        );

    /// <summary>Takes the whole source, none of its shards, or returns null when another worker has some of it, which is normal.</summary>
    /// <exception cref="ArchiverException">A transaction pooler sits between.</exception>
    public static Task<SourceLock?> TryTakeAsync(SourceConnections connections, TimeProvider time, CancellationToken cancellationToken)
    {
        var source = connections.Source.Name;
        return TryTakeAsync(connections, [SourceLockKey.For(source, shard: 0)], source, time, cancellationToken);
    }

    /// <summary>Takes the locks, or returns null when another worker has one of them, which is normal.</summary>
    /// <exception cref="ArchiverException">
    /// A transaction pooler sits between: session locks would be held by nobody in particular.
    /// </exception>
    public static async Task<SourceLock?> TryTakeAsync(
        SourceConnections connections,
        IReadOnlyList<SourceLockKey> keys,
        string source,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var connection = await connections.OpenDirectAsync(cancellationToken);
        try
        {
            await connection.ExecuteAsync(Settings, cancellationToken);
            if (await TakeAllAsync(connection, keys, cancellationToken))
            {
                var nonce = BinaryPrimitives.ReadInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(long)));
                await connection.ExecuteAsync("SELECT pg_advisory_lock($1)", cancellationToken, PgParameter.Bigint(nonce));
                var taken = new SourceLock(connection, new Lease(nonce, connection.ProcessID), source, time);
                connection = null;
                return taken;
            }
            return null;
        }
        finally
        {
            if (connection is not null)
                await connection.DisposeAsync();
        }
    }

    // Closing the connection gives back what was taken before one was refused.
    private static async Task<bool> TakeAllAsync(
        NpgsqlConnection connection,
        IReadOnlyList<SourceLockKey> keys,
        CancellationToken cancellationToken
    )
    {
        foreach (var key in keys)
        {
            var sql = key.Shared ? "SELECT pg_try_advisory_lock_shared($1)" : "SELECT pg_try_advisory_lock($1)";
            if (!await connection.ScalarAsync<bool>(sql, cancellationToken, PgParameter.Bigint(key.Value)))
                return false;
        }
        return true;
    }

    /// <summary>Gives the lock back by closing its connection.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _pinging;
        await ReleaseAsync();
        await _connection.DisposeAsync();
        _stop.Dispose();
        _lost.Dispose();
    }

    // The server notices a closed connection a moment later; the next command must not find the lock still taken.
    private async Task ReleaseAsync()
    {
        try
        {
            await _connection.ExecuteAsync("SELECT pg_advisory_unlock_all()", CancellationToken.None);
        }
        catch (Exception exception) when (PgErrors.IsTransient(exception) || exception is NpgsqlException or InvalidOperationException)
        {
            // The connection is broken, and with it the locks are gone or soon will be.
        }
    }

    private async Task PingAsync(TimeProvider time)
    {
        using var timer = new PeriodicTimer(PingInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
                await _connection.ExecuteAsync("SELECT 1", _stop.Token);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Disposed: the run is over.
        }
        catch (Exception exception) when (PgErrors.IsTransient(exception) || exception is NpgsqlException)
        {
            // Not logged here: whoever waits on Lost fails the run with its own message.
            await _lost.CancelAsync();
        }
    }
}
