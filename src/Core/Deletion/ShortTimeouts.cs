using Archiver.Core.Postgres;
using Archiver.Core.Settings;

namespace Archiver.Core.Deletion;

/// <summary>How long a short transaction may take, and make others wait.</summary>
internal static class ShortTimeouts
{
    /// <summary>
    /// A worker that stands still between two statements keeps its locks no longer; what it does there takes milliseconds.
    /// </summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <param name="batch">What is configured.</param>
    /// <param name="rows">Rows that it will touch.</param>
    public static string Sql(BatchSettings batch, long rows) =>
        TransactionSettings.Timeout("statement_timeout", batch.TimeoutFor(rows))
        + TransactionSettings.Timeout("lock_timeout", batch.LockTimeout)
        + TransactionSettings.Timeout(
            "idle_in_transaction_session_timeout",
            batch.StatementTimeout < LongestPause ? batch.StatementTimeout : LongestPause
        );
}
