using System.Collections.Concurrent;
using System.Diagnostics;
using Npgsql;

namespace Archiver.Testing.Proof;

/// <summary>
/// The application while the archiver works: writers that insert, edit and delete messages of old and young sessions, delete, reopen and
/// begin sessions, leave transactions open across an export, and lock a message before its session. Seeded: the same numbers, the same
/// wishes.
/// </summary>
/// <param name="connectionString">The application's database.</param>
/// <param name="seed">Of the random choices.</param>
public sealed class ChatWriters(string connectionString, int seed) : IAsyncDisposable
{
    private const string Idle = "(SELECT count(*) FROM chat_sessions WHERE last_activity < now() - interval '90 days')";

    private const string AnyIdle =
        $"(SELECT session_id FROM chat_sessions WHERE last_activity < now() - interval '90 days' OFFSET floor(random() * {Idle}) LIMIT 1)";

    private static readonly Wish[] Wishes =
    [
        new(
            "late message",
            20,
            $"INSERT INTO chat_messages (session_id, role, content, timestamp) VALUES ({AnyIdle}, 'user', 'late ' || "
                + "random(), now() - interval '200 days')"
        ),
        new("message now", 4, $"INSERT INTO chat_messages (session_id, role, content) VALUES ({AnyIdle}, 'user', 'now ' || random())"),
        new(
            "edit",
            20,
            "UPDATE chat_messages SET content = 'edited ' || random() WHERE id = (SELECT max(id) FROM chat_messages WHERE "
                + $"session_id = {AnyIdle})"
        ),
        new("delete message", 10, $"DELETE FROM chat_messages WHERE id = (SELECT min(id) FROM chat_messages WHERE session_id = {AnyIdle})"),
        new("delete session", 3, $"DELETE FROM chat_sessions WHERE session_id = {AnyIdle}"),
        new("reopen", 2, $"UPDATE chat_sessions SET last_activity = clock_timestamp() WHERE session_id = {AnyIdle}"),
        new("end", 5, $"UPDATE chat_sessions SET ended_at = now() - interval '150 days' WHERE session_id = {AnyIdle}"),
        // No more than some, so that a run comes to its end, however long the writers have written faster than runs that are killed can
        // archive.
        new(
            "new old session",
            26,
            $"""
            WITH s AS (INSERT INTO chat_sessions (session_title, created_at, last_activity)
                       SELECT 'new', now() - interval '300 days', now() - random() * interval '200 days' - interval '95 days'
                         WHERE {Idle} < 400 RETURNING session_id)
            INSERT INTO chat_messages (session_id, role, content, timestamp) SELECT session_id, 'user', repeat('word ', 20) || n,
              now() - interval '250 days' FROM s, generate_series(1, 4) AS n
            """
        ),
        new(
            "message before session",
            10,
            "UPDATE chat_messages SET token_count = 7 WHERE id = (SELECT max(id) FROM chat_messages WHERE "
                + $"session_id = {AnyIdle}) RETURNING session_id",
            "UPDATE chat_sessions SET session_title = 'touched' WHERE session_id = $1"
        ),
    ];

    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<double> _milliseconds = [];
    private readonly ConcurrentDictionary<string, int> _errors = new();
    private readonly ConcurrentDictionary<int, bool> _processes = new();
    private readonly List<Task> _writers = [];
    private long _transactions;

    /// <summary>Milliseconds that single statements took.</summary>
    public IReadOnlyCollection<double> Milliseconds => _milliseconds;

    /// <summary>Transactions committed.</summary>
    public long Transactions => Interlocked.Read(ref _transactions);

    /// <summary>
    /// Errors by SQLSTATE. A session that is gone (23503) is the application's own affair, and so is a deadlock among these writers (40P01
    /// own); another one (40P01) is not.
    /// </summary>
    public IReadOnlyDictionary<string, int> Errors => _errors;

    /// <summary>Starts so many writers; they go on until disposed, also through a restart of the server.</summary>
    public ChatWriters Start(int writers)
    {
        for (var i = 0; i < writers; i++)
        {
            var random = new Random(seed * 100 + i);
            _writers.Add(Task.Run(() => WriteAsync(random)));
        }
        return this;
    }

    /// <summary>Milliseconds below which such a share of the statements stayed.</summary>
    public double Percentile(double share)
    {
        var sorted = _milliseconds.Order().ToArray();
        return sorted.Length == 0 ? 0 : sorted[(int)Math.Min(sorted.Length - 1, share * sorted.Length)];
    }

    /// <summary>Stops them all; what goes wrong in a writer other than a database's error comes out here.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_writers);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private async Task WriteAsync(Random random)
    {
        var text = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = "chat",
            Pooling = false,
            IncludeErrorDetail = true,
        }.ConnectionString;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await using var connection = new NpgsqlConnection(text);
                await connection.OpenAsync(_stop.Token);
                _processes.TryAdd(connection.ProcessID, true);
                while (!_stop.IsCancellationRequested)
                    await TransactAsync(connection, random);
            }
            catch (PostgresException exception)
            {
                _errors.AddOrUpdate(IsAmongWriters(exception) ? $"{exception.SqlState} own" : exception.SqlState, 1, (_, n) => n + 1);
            }
            catch (Exception exception) when (exception is NpgsqlException or IOException or OperationCanceledException)
            {
                // The server is away, or the test is over.
                _errors.AddOrUpdate("connection", 1, (_, n) => n + 1);
            }
            if (!_stop.IsCancellationRequested)
                await Task.Delay(50, CancellationToken.None);
        }
    }

    // The detail of a deadlock names every process in it.
    private bool IsAmongWriters(PostgresException exception) =>
        exception.SqlState == PostgresErrorCodes.DeadlockDetected
        && System.Text.RegularExpressions.Regex.Matches(exception.Detail ?? "", @"[Pp]rocess (\d+)") is { Count: > 0 } found
        && found.All(p => _processes.ContainsKey(int.Parse(p.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)));

    private async Task TransactAsync(NpgsqlConnection connection, Random random)
    {
        await using var transaction = await connection.BeginTransactionAsync(_stop.Token);
        for (var statements = random.Next(1, 3); statements > 0; statements--)
            await ExecuteAsync(connection, Choose(random));
        // Some stay open while a batch is exported, uploaded and deleted.
        if (random.Next(10) == 0)
            await Task.Delay(random.Next(20, 400), _stop.Token);
        if (random.Next(12) == 0)
            await transaction.RollbackAsync(_stop.Token);
        else
            await transaction.CommitAsync(CancellationToken.None);
        Interlocked.Increment(ref _transactions);
        // People type; the proof is about their collisions with the archiver, not about how much a machine can write.
        await Task.Delay(random.Next(5, 60), _stop.Token);
    }

    private async Task ExecuteAsync(NpgsqlConnection connection, Wish wish)
    {
        var started = Stopwatch.GetTimestamp();
        await using var command = new NpgsqlCommand(wish.Sql, connection);
        var result = await command.ExecuteScalarAsync(_stop.Token);
        if (wish.Then is not null && result is Guid session)
        {
            await using var then = new NpgsqlCommand(wish.Then, connection);
            then.Parameters.Add(new() { Value = session });
            await then.ExecuteNonQueryAsync(_stop.Token);
        }
        _milliseconds.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
    }

    private static Wish Choose(Random random)
    {
        var at = random.Next(Wishes.Sum(w => w.Weight));
        return Wishes.First(w => (at -= w.Weight) < 0);
    }

    /// <summary>Something an application does.</summary>
    /// <param name="Name">For a reader.</param>
    /// <param name="Weight">How often, against the others.</param>
    /// <param name="Sql">The statement.</param>
    /// <param name="Then">Another one in the same transaction, with the first one's result as $1.</param>
    private sealed record Wish(string Name, int Weight, string Sql, string? Then = null);
}
