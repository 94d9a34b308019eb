using Microsoft.Extensions.Logging;

namespace Archiver.Core.Diagnostics;

/// <summary>Messages of restore, verify, rebuild and reconcile; ids 2000 to 2099.</summary>
internal static partial class Log
{
    [LoggerMessage(
        EventId = 2000,
        Level = LogLevel.Information,
        Message = "Restore {RunId} of source {Source} ended {Outcome}: {Sessions} "
            + "sessions, {RowCount} rows, {AlreadyThere} there already, {Refused} refused in {ElapsedMs} ms"
    )]
    public static partial void RestoreEnded(
        this ILogger logger,
        Guid runId,
        string source,
        RunOutcome outcome,
        long sessions,
        long rowCount,
        long alreadyThere,
        int refused,
        long elapsedMs
    );
}
