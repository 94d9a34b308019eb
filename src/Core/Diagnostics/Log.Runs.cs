using Microsoft.Extensions.Logging;

namespace Archiver.Core.Diagnostics;

/// <summary>Messages of runs; ids 1000 to 1099. Never a value of a row: session keys are the only data in them.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 1000, Level = LogLevel.Information, Message = "Run {RunId} of {Policy} started, {Eligible} sessions eligible")]
    public static partial void RunStarted(this ILogger logger, Guid runId, string policy, long eligible);

    [LoggerMessage(
        EventId = 1001,
        Level = LogLevel.Information,
        Message = "Run {RunId} of {Policy} ended {Outcome}: {Sessions} sessions, "
            + "{RowCount} rows, {StoredBytes} bytes stored of {JsonBytes}, {Skipped} skipped, {Failed} failed in {ElapsedMs} ms {Reasons}"
    )]
    public static partial void RunEnded(
        this ILogger logger,
        Guid runId,
        string policy,
        RunOutcome outcome,
        long sessions,
        long rowCount,
        long storedBytes,
        long jsonBytes,
        long skipped,
        long failed,
        long elapsedMs,
        string reasons
    );

    [LoggerMessage(
        EventId = 1002,
        Level = LogLevel.Information,
        Message = "Batch of run {RunId} committed: {Sessions} sessions, {RowCount} rows, {Dropped} dropped"
    )]
    public static partial void BatchCommitted(this ILogger logger, Guid runId, int sessions, long rowCount, int dropped);

    [LoggerMessage(EventId = 1003, Level = LogLevel.Information, Message = "{Policy} not run: another worker runs on this source")]
    public static partial void LockedElsewhere(this ILogger logger, string policy);

    [LoggerMessage(EventId = 1004, Level = LogLevel.Warning, Message = "Source {Source}: {Warning}")]
    public static partial void InspectionWarning(this ILogger logger, string source, string warning);

    [LoggerMessage(
        EventId = 1005,
        Level = LogLevel.Warning,
        Message = "{Count} earlier runs of source {Source} had ended without a word; their unfinished objects are marked as abandoned"
    )]
    public static partial void DeadRunsSettled(this ILogger logger, long count, string source);

    [LoggerMessage(EventId = 1006, Level = LogLevel.Warning, Message = "Session {SessionId} failed: {Reason}")]
    public static partial void SessionFailed(this ILogger logger, string sessionId, string reason);

    [LoggerMessage(EventId = 1007, Level = LogLevel.Debug, Message = "Session {SessionId} left for a later run: {Reason}")]
    public static partial void SessionSkipped(this ILogger logger, string sessionId, string reason);

    [LoggerMessage(EventId = 1008, Level = LogLevel.Error, Message = "{Policy} failed: {Problem}")]
    public static partial void RunFailed(this ILogger logger, string policy, string problem);

    [LoggerMessage(EventId = 1009, Level = LogLevel.Critical, Message = "{Policy} failed unexpectedly; please report this")]
    public static partial void RunFailedUnexpectedly(this ILogger logger, Exception exception, string policy);

    [LoggerMessage(
        EventId = 1010,
        Level = LogLevel.Warning,
        Message = "The end of run {RunId} could not be recorded; the next run settles it"
    )]
    public static partial void RunEndNotRecorded(this ILogger logger, Exception exception, Guid runId);

    [LoggerMessage(EventId = 1011, Level = LogLevel.Warning, Message = "Batch of {Sessions} sessions failed ({Reason}); trying halves")]
    public static partial void BatchHalved(this ILogger logger, int sessions, string reason);

    [LoggerMessage(EventId = 1012, Level = LogLevel.Error, Message = "{Problem}")]
    public static partial void NoRoomToSpool(this ILogger logger, string problem);

    [LoggerMessage(EventId = 1013, Level = LogLevel.Information, Message = "{Policy} not run: {Pause}")]
    public static partial void Paused(this ILogger logger, string policy, string pause);

    [LoggerMessage(EventId = 1014, Level = LogLevel.Information, Message = "{Policy} is a dry run: {Eligible} sessions would go")]
    public static partial void DryRun(this ILogger logger, string policy, long eligible);

    [LoggerMessage(
        EventId = 1030,
        Level = LogLevel.Information,
        Message = "Run {RunId}: {Sessions} stored sessions have changed since; their archives are superseded, and they count as live again"
    )]
    public static partial void StoredSuperseded(this ILogger logger, Guid runId, long sessions);

    [LoggerMessage(
        EventId = 1031,
        Level = LogLevel.Warning,
        Message = "{Policy} and {Other} both take {Sessions} of the same sessions; the one that runs first gets them (Order, Where)"
    )]
    public static partial void PoliciesOverlap(this ILogger logger, string policy, string other, long sessions);

    [LoggerMessage(EventId = 1016, Level = LogLevel.Information, Message = "Run {RunId} of {Policy} takes shard {Shard} of {Shards}")]
    public static partial void ShardTaken(this ILogger logger, Guid runId, string policy, int shard, int shards);

    [LoggerMessage(
        EventId = 1017,
        Level = LogLevel.Warning,
        Message = "Run {RunId} waits: a replica is {Lag} behind, and Batch:MaxReplicationLag is {Most}"
    )]
    public static partial void WaitingForReplica(this ILogger logger, Guid runId, string lag, string most);

    [LoggerMessage(
        EventId = 1020,
        Level = LogLevel.Information,
        Message = "Run {RunId} waits: the server is at work for {Active} other clients, and Batch:MaxActive is {Most}"
    )]
    public static partial void WaitingForClients(this ILogger logger, Guid runId, long active, int most);

    [LoggerMessage(
        EventId = 1018,
        Level = LogLevel.Warning,
        Message = "The run cannot see who waits for its locks ({Problem}); until it "
            + "can, the application may wait for as long as a batch takes"
    )]
    public static partial void WaitersNotSeen(this ILogger logger, string problem);

    [LoggerMessage(
        EventId = 1019,
        Level = LogLevel.Information,
        Message = "This machine has no libdeflate (Debian: libdeflate0): compression takes twice the time"
    )]
    public static partial void CompressesWithoutLibdeflate(this ILogger logger);

    [LoggerMessage(EventId = 1021, Level = LogLevel.Warning, Message = "Run {RunId} leaves sessions to the next run: {Problem}")]
    public static partial void ExportNotLocked(this ILogger logger, Guid runId, string problem);

    [LoggerMessage(EventId = 1015, Level = LogLevel.Information, Message = "Run {RunId} takes no more batches: {Limit}")]
    public static partial void RunCutShort(this ILogger logger, Guid runId, string limit);
}
