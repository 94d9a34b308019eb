using System.Data;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Holds;

/// <summary>
/// The transaction that stays open while objects go from the store. It holds the hold lock: a hold that is added meanwhile waits, and then
/// covers what is left.
/// </summary>
internal static class RemovalTransaction
{
    /// <param name="connection">Has no transaction.</param>
    /// <param name="source">Name of the source.</param>
    /// <param name="settings">How long the store may take.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="statementTimeout">Longest for one statement; null for the server's default.</param>
    public static async Task<NpgsqlTransaction> BeginAsync(
        NpgsqlConnection connection,
        string source,
        ArchiverSettings settings,
        CancellationToken cancellationToken,
        TimeSpan? statementTimeout = null
    )
    {
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);
        // Idle while the store works: as long as the store's retries may take.
        var idle = (settings.Retry.Budget + settings.Storage.Timeout) * 2;
        await connection.ExecuteAsync(
            TransactionSettings.Common
                + TransactionSettings.Change
                + TransactionSettings.Timeout("idle_in_transaction_session_timeout", idle)
                + (statementTimeout is { } longest ? TransactionSettings.Timeout("statement_timeout", longest) : ""),
            cancellationToken
        );
        await HoldLock.TakeSharedAsync(connection, source, cancellationToken);
        return transaction;
    }
}
