using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Settings;

namespace Archiver.Core.Export;

/// <summary>How long the transaction of an export may take.</summary>
internal static class ExportTimeouts
{
    public static string Sql(BatchSettings batch, IReadOnlyList<SelectedSession> sessions) =>
        TransactionSettings.Timeout("statement_timeout", batch.TimeoutFor(sessions.Sum(s => s.Rows), sessions.Sum(s => s.Bytes)))
        + TransactionSettings.Timeout("lock_timeout", batch.LockTimeout);
}
