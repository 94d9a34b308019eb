using System.Globalization;
using Npgsql;

namespace Archiver.Testing.Proof;

/// <summary>
/// Looks at the server's lock table every few milliseconds, from outside, and remembers the longest waits, by the server's clock.
/// </summary>
public sealed class LockWaits : IAsyncDisposable
{
    // Seconds that the application has been waiting for the archiver, and the archiver for anybody. Workers that wait for each other do so
    // by advisory locks, with nothing of the application's in hand.
    private const string Longest = """
        SELECT coalesce(max(extract(epoch FROM clock_timestamp() - w.waitstart)) FILTER (WHERE a.application_name <> 'archiver' AND EXISTS (
                 SELECT FROM pg_stat_activity AS b WHERE b.application_name = 'archiver'
                   AND b.pid = ANY (pg_blocking_pids(w.pid)))), 0)::float8,
               coalesce(max(extract(epoch FROM clock_timestamp() - w.waitstart)) FILTER (WHERE a.application_name = 'archiver'), 0)::float8
        FROM pg_locks AS w JOIN pg_stat_activity AS a ON a.pid = w.pid
        WHERE NOT w.granted AND w.locktype <> 'advisory' AND a.datname = current_database()
        """;

    /// <summary>
    /// No wait may be longer, also on a machine on which all cores are busy: there LockTimeout passes at once, and the login of the
    /// connection that watches takes seconds. Without any bound a wait takes the minute of StatementTimeout.
    /// </summary>
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _looking;
    private double _ofApplication;
    private double _ofArchiver;

    private LockWaits(string connectionString) => _looking = LookAsync(connectionString);

    /// <summary>The longest that the application waited for a lock of the archiver.</summary>
    public TimeSpan OfApplication => TimeSpan.FromSeconds(Volatile.Read(ref _ofApplication));

    /// <summary>The longest that the archiver waited for a lock.</summary>
    public TimeSpan OfArchiver => TimeSpan.FromSeconds(Volatile.Read(ref _ofArchiver));

    /// <summary>For a report.</summary>
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"application for archiver {OfApplication.TotalMilliseconds:0} ms, archiver for application {OfArchiver.TotalMilliseconds:0} ms"
        );

    /// <summary>Begins to look at a database.</summary>
    public static LockWaits Watch(string connectionString) => new(connectionString);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _looking;
        _stop.Dispose();
    }

    private async Task LookAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { ApplicationName = "lock waits", Pooling = false }.ConnectionString
        );
        await connection.OpenAsync(CancellationToken.None);
        while (!_stop.IsCancellationRequested)
        {
            await using (var command = new NpgsqlCommand(Longest, connection))
            await using (var row = await command.ExecuteReaderAsync(CancellationToken.None))
            {
                await row.ReadAsync(CancellationToken.None);
                Volatile.Write(ref _ofApplication, Math.Max(_ofApplication, row.GetDouble(0)));
                Volatile.Write(ref _ofArchiver, Math.Max(_ofArchiver, row.GetDouble(1)));
            }
            await Task.Delay(Pause, CancellationToken.None);
        }
    }
}
