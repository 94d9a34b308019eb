using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Sources;

/// <summary>
/// A transaction as the server names it. When its connection breaks, the server may keep it, with all its locks, until it notices: a second
/// attempt would take the first one's locks for the application's.
/// </summary>
/// <param name="Process">The server process. Not the driver's: a pooler shows its own.</param>
/// <param name="Started">When the transaction began; behind a pooler the process may serve somebody else by now.</param>
internal sealed record ServerTransaction(int Process, DateTimeOffset Started)
{
    private const string Terminate = """
        SELECT coalesce(bool_or(pg_terminate_backend(a.pid) IS NOT NULL), false) FROM pg_stat_activity AS a WHERE a.pid = $1
          AND a.xact_start = $2
        """;

    /// <summary>A server process ends within milliseconds, but in a function that lets nothing interrupt it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>The transaction that the connection is in.</summary>
    public static async Task<ServerTransaction> OfAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        (
            await connection.QueryAsync(
                "SELECT pg_backend_pid(), now()",
                row => new ServerTransaction(row.GetInt32(0), row.GetFieldValue<DateTimeOffset>(1)),
                cancellationToken
            )
        )[0];

    /// <summary>
    /// Returns when the server has ended it. It is given up when the server cannot be asked: then it is down, and what it held with it.
    /// </summary>
    public async Task EndAsync(SourceConnections connections)
    {
        using var patience = new CancellationTokenSource(Patience, connections.Time);
        try
        {
            await using var connection = await connections.OpenAsync(patience.Token);
            while (await connection.ScalarAsync<bool>(Terminate, patience.Token, PgParameter.Int(Process), PgParameter.Instant(Started)))
                await Task.Delay(Pause, connections.Time, patience.Token);
        }
        catch (Exception exception)
            when (PgErrors.IsTransient(exception) || exception is NpgsqlException or ArchiverException or OperationCanceledException)
        {
            // What it still holds shows as locked, and waits for the next run.
        }
    }
}
