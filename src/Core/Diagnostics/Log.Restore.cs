using Archiver.Core.Ledger;
using Microsoft.Extensions.Logging;

namespace Archiver.Core.Diagnostics;

/// <summary>Messages of restore, verify, rebuild and reconcile; ids 6000 to 6099.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 6000, Level = LogLevel.Information, Message = "Restore {RunId} of source {Source} ended {Outcome}: {Sessions} sessions, {RowCount} rows, {AlreadyThere} there already, {Refused} refused in {ElapsedMs} ms")]
    public static partial void RestoreEnded(
        this ILogger logger, Guid runId, string source, RunOutcome outcome, long sessions, long rowCount, long alreadyThere, int refused, long elapsedMs);
}
