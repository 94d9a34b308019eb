using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Settings;

namespace Archiver.Core.Export;

/// <summary>How long the transaction of an export may take.</summary>
internal static class ExportTimeouts
{
    /// <summary>One large session may take as much longer as it is larger than the bounds of a batch.</summary>
    public static string Sql(BatchSettings batch, IReadOnlyList<SelectedSession> sessions)
    {
        var scale = Math.Max(
            1.0,
            Math.Max((double)sessions.Sum(s => s.Rows) / batch.Rows, (double)sessions.Sum(s => s.Bytes) / batch.Bytes)
        );
        return TransactionSettings.Timeout("statement_timeout", batch.StatementTimeout * scale)
            + TransactionSettings.Timeout("lock_timeout", batch.LockTimeout);
    }
}
