using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Holds;

/// <summary>
/// Keeps a new hold and a destructive transaction apart (docs/protocol.md rule 23): destructive transactions take the lock shared and read
/// the holds under it, <c>hold add</c> takes it exclusive. So once a hold was added, nothing that it covers is deleted any more.
/// </summary>
internal static class HoldLock
{
    private const string Shared = "SELECT pg_advisory_xact_lock_shared(hashtextextended('archiver/holds/' || $1, 0))";

    private const string Exclusive = "SELECT pg_advisory_xact_lock(hashtextextended('archiver/holds/' || $1, 0))";

    /// <summary>
    /// Longest that a run waits for a <c>hold add</c> in flight, which itself waits for the batches of other shards. Nothing of the batch
    /// is locked yet, so nobody waits for the run; with <c>Batch:LockTimeout</c> every hold that somebody adds would fail a run.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The same in a short transaction, whose lock timeout is for rows; it is set again afterwards.</summary>
    /// <exception cref="PostgresException">The lock did not come in time; the transaction is lost.</exception>
    public static async Task TakeSharedAsync(
        NpgsqlConnection connection,
        string source,
        BatchSettings batch,
        CancellationToken cancellationToken
    )
    {
        var patience = batch.StatementTimeout / 2 < Patience ? batch.StatementTimeout / 2 : Patience;
        await connection.ExecuteAsync(TransactionSettings.Timeout("lock_timeout", patience), cancellationToken);
        await TakeSharedAsync(connection, source, cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.Timeout("lock_timeout", batch.LockTimeout), cancellationToken);
    }

    public static Task TakeSharedAsync(NpgsqlConnection connection, string source, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(Shared, cancellationToken, PgParameter.Text(source));

    /// <summary>However long the transaction in hand takes: giving up would leave what should be held unprotected.</summary>
    public static async Task TakeExclusiveAsync(NpgsqlConnection connection, string source, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync("SET LOCAL lock_timeout = 0", cancellationToken);
        await connection.ExecuteAsync(Exclusive, cancellationToken, PgParameter.Text(source));
        await connection.ExecuteAsync(TransactionSettings.Timeout("lock_timeout", TransactionSettings.LockWithin), cancellationToken);
    }
}
