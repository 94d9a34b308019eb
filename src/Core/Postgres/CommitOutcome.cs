using Archiver.Core.Diagnostics;
using Npgsql;

namespace Archiver.Core.Postgres;

/// <summary>
/// Commits, and when the answer is lost finds out what happened (docs/protocol.md rule 15): an error from COMMIT says nothing about the
/// transaction. The server is asked for the transaction's fate, on another connection, until it has one.
/// </summary>
/// <param name="time">By which patience is measured.</param>
/// <param name="open">Opens another connection to the server.</param>
/// <param name="unknown">What to say when its fate cannot be learnt.</param>
/// <param name="recorded">
/// Whether the transaction's work is there, asked with its fate as that connection's server has it: <c>committed</c>, <c>aborted</c> or
/// null. It is the last word: after a failover the transaction id may name another server's transaction.
/// </param>
internal sealed class CommitOutcome(
    TimeProvider time,
    Func<CancellationToken, Task<NpgsqlConnection>> open,
    string unknown,
    Func<NpgsqlConnection, string?, CancellationToken, Task<bool>> recorded
)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private const string TransactionId = "SELECT pg_current_xact_id()::text";

    private const string Fate = "SELECT pg_xact_status($1::text::xid8)";

    /// <summary>Returns when the transaction is committed.</summary>
    /// <param name="connection">In the transaction.</param>
    /// <param name="transaction">The transaction.</param>
    /// <param name="last">What must hold when the commit is sent; throws when it does not.</param>
    /// <param name="cancellationToken">Gives up before the commit is sent, not after.</param>
    /// <exception cref="NpgsqlException">It was rolled back.</exception>
    /// <exception cref="ArchiverException">Its fate cannot be learnt now; the ledger tells the next run.</exception>
    public async Task CommitAsync(
        NpgsqlConnection connection,
        NpgsqlTransaction transaction,
        Func<CancellationToken, Task> last,
        CancellationToken cancellationToken
    )
    {
        var id = (await connection.ScalarAsync<string>(TransactionId, cancellationToken))!;
        await last(cancellationToken);
        try
        {
            // Not cancelled half-way by the caller: either it is not sent, or its answer is waited for.
            cancellationToken.ThrowIfCancellationRequested();
            await transaction.CommitAsync(CancellationToken.None);
        }
        catch (Exception exception) when (exception is NpgsqlException or IOException)
        {
            if (!await IsCommittedAsync(id, exception))
                throw;
        }
    }

    private async Task<bool> IsCommittedAsync(string transactionId, Exception cause)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        while (true)
        {
            try
            {
                await using var connection = await open(patience.Token);
                if (await FateAsync(connection, transactionId, patience.Token) is not "in progress" and var fate)
                    return await recorded(connection, fate, patience.Token);
            }
            catch (Exception exception) when (PgErrors.IsTransient(exception))
            {
                // The server is still away; asked again until patience ends.
            }
            catch (OperationCanceledException)
            {
                throw Unknown(cause);
            }
            await Task.Delay(Pause, time, CancellationToken.None);
            if (patience.IsCancellationRequested)
                throw Unknown(cause);
        }
    }

    private static async Task<string?> FateAsync(NpgsqlConnection connection, string transactionId, CancellationToken cancellationToken)
    {
        try
        {
            return await connection.ScalarAsync<string>(Fate, cancellationToken, PgParameter.Text(transactionId));
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InvalidParameterValue)
        {
            // "transaction ID is in the future": another timeline, on which this transaction never ran.
            return null;
        }
    }

    private ArchiverException Unknown(Exception cause) => new(FailureKind.Failed, unknown, cause);
}
