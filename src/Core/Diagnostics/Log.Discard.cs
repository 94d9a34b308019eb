using Microsoft.Extensions.Logging;

namespace Archiver.Core.Diagnostics;

/// <summary>Messages of discard and erase; ids 3000 to 3099. No session and no user is named.</summary>
internal static partial class Log
{
    [LoggerMessage(
        EventId = 3000,
        Level = LogLevel.Information,
        Message = "Discard {RunId} of source {Source} ended {Outcome}: {Objects} "
            + "objects with {Archives} archives destroyed, {Announced} archives announced, {Held} held, {Failed} objects could not be "
            + "removed in {ElapsedMs} ms"
    )]
    public static partial void DiscardEnded(
        this ILogger logger,
        Guid runId,
        string source,
        RunOutcome outcome,
        long objects,
        long archives,
        long announced,
        long held,
        int failed,
        long elapsedMs
    );

    [LoggerMessage(
        EventId = 3001,
        Level = LogLevel.Warning,
        Message = "{Archives} archives of source {Source} will be destroyed in {Days} "
            + "days or later (Archiver:Discard); put what must stay on hold: archiver hold add"
    )]
    public static partial void DiscardAnnounced(this ILogger logger, long archives, string source, double days);

    [LoggerMessage(
        EventId = 3010,
        Level = LogLevel.Information,
        Message = "Erase {RunId} of source {Source} ended {Outcome}: {Sessions} "
            + "sessions, {RowCount} rows, {Objects} objects; {Held} held, {Remaining} not erased in {ElapsedMs} ms"
    )]
    public static partial void EraseEnded(
        this ILogger logger,
        Guid runId,
        string source,
        RunOutcome outcome,
        int sessions,
        long rowCount,
        long objects,
        int held,
        int remaining,
        long elapsedMs
    );
}
