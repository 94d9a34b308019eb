using System.Text.Json;
using Archiver.Core.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>
/// The end of a run: recorded in the ledger and logged, whatever its outcome. A run whose end cannot be recorded is settled by the next
/// one.
/// </summary>
internal static class RunEnd
{
    /// <summary>
    /// Records and logs the summary, and returns it; where the ledger did not take it, it says so and is no longer wholly done.
    /// </summary>
    public static async Task<RunSummary> RecordAsync(RunScope scope, RunSummary summary, ILogger logger)
    {
        if (await FailedRun.RecordEndAsync(summary.RunId, () => scope.EndAsync(summary), logger) is { } exception)
        {
            var unrecorded =
                $"The ledger could not record how the run ended ({Reason(exception)}). It is shown as interrupted "
                + "until the next run of the source settles it; what was committed stays.";
            summary = summary with
            {
                Outcome = summary.Outcome == RunOutcome.Done ? RunOutcome.Partial : summary.Outcome,
                Error = $"{summary.Error} {unrecorded}".TrimStart(),
            };
        }
        var reasons = JsonSerializer.Serialize(summary.Reasons, PlainJson.Default.Counts);
        var elapsed = (long)summary.Elapsed.TotalMilliseconds;
        logger.RunEnded(
            summary.RunId,
            scope.Context.Policy.FullName,
            summary.Outcome,
            summary.Sessions,
            summary.Rows,
            summary.StoredBytes,
            summary.JsonBytes,
            summary.Skipped,
            summary.Failed,
            elapsed,
            reasons
        );
        return summary;
    }

    // Not the server's DETAIL or its message's values: the code of an error, or that it could not be reached.
    private static string Reason(Exception exception) =>
        exception is PostgresException { SqlState: var code }
            ? (code == PostgresErrorCodes.DiskFull ? "the server's disk is full" : $"SQLSTATE {code}")
            : "the server cannot be reached";
}
