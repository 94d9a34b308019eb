using System.Text.Json;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Archiver.Core;

/// <summary>The end of a run: recorded in the ledger and logged, whatever its outcome. A run whose end cannot be recorded is settled by the next one.</summary>
internal static class RunEnd
{
    /// <summary>Records and logs the summary.</summary>
    public static async Task RecordAsync(RunScope scope, RunSummary summary, ILogger logger)
    {
        try
        {
            await scope.EndAsync(summary).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException or IOException)
        {
            logger.RunEndNotRecorded(exception, summary.RunId);
        }
        var reasons = JsonSerializer.Serialize(summary.Reasons);
        var elapsed = (long)summary.Elapsed.TotalMilliseconds;
        logger.RunEnded(
            summary.RunId, scope.Context.Policy.FullName, summary.Outcome, summary.Sessions, summary.Rows, summary.StoredBytes,
            summary.JsonBytes, summary.Skipped, summary.Failed, elapsed, reasons);
    }
}
