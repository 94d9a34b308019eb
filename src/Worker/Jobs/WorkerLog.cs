namespace Archiver.Worker.Jobs;

/// <summary>Messages of the always-on worker; ids 6000 to 6099. They show settings' names, never values.</summary>
internal static partial class WorkerLog
{
    [LoggerMessage(EventId = 6000, Level = LogLevel.Information, Message = "Worker started, HTTP at {Urls}")]
    public static partial void WorkerStarted(this ILogger logger, string urls);

    [LoggerMessage(EventId = 6001, Level = LogLevel.Warning, Message = "Source {Source} is not ready, waiting: {Problem}")]
    public static partial void Waiting(this ILogger logger, string source, string problem);

    [LoggerMessage(EventId = 6002, Level = LogLevel.Information, Message = "Source {Source} is ready")]
    public static partial void SourceReady(this ILogger logger, string source);

    [LoggerMessage(
        EventId = 6003,
        Level = LogLevel.Information,
        Message = "{Policies} of source {Source} scheduled by {Cron}, next at {Next}"
    )]
    private static partial void Scheduled(this ILogger logger, string policies, string source, string cron, DateTimeOffset? next);

    [LoggerMessage(EventId = 6004, Level = LogLevel.Information, Message = "Running {Policies} of source {Source} now: {Cause}")]
    public static partial void RunningNow(this ILogger logger, string policies, string source, string cause);

    [LoggerMessage(EventId = 6005, Level = LogLevel.Critical, Message = "The scheduler failed; the worker ends")]
    public static partial void SchedulerFailed(this ILogger logger, Exception exception);

    [LoggerMessage(EventId = 6007, Level = LogLevel.Warning, Message = "The cluster of source {Source} could not be joined; trying again")]
    public static partial void ClusterNotJoined(this ILogger logger, Exception exception, string source);

    [LoggerMessage(EventId = 6008, Level = LogLevel.Debug, Message = "At rest, with {ResidentBytes} bytes of memory")]
    public static partial void AtRest(this ILogger logger, long residentBytes);

    [LoggerMessage(EventId = 6009, Level = LogLevel.Warning, Message = "Source {Source} could not be scheduled; trying again")]
    public static partial void NotScheduled(this ILogger logger, Exception exception, string source);

    [LoggerMessage(EventId = 6010, Level = LogLevel.Warning, Message = "The status for the metrics could not be read; trying again")]
    public static partial void StatusNotRead(this ILogger logger, Exception exception);

    [LoggerMessage(
        EventId = 6011,
        Level = LogLevel.Warning,
        Message = "{Policies} of source {Source} not scheduled: the times of {Cron} are over; change it, or take it out"
    )]
    private static partial void NotScheduledAgain(this ILogger logger, string policies, string source, string cron);

    /// <summary>Says when something comes next, and warns where it does not come again.</summary>
    public static void ScheduledNext(this ILogger logger, string policies, string source, string cron, DateTimeOffset? next)
    {
        if (next is null)
            logger.NotScheduledAgain(policies, source, cron);
        else
            logger.Scheduled(policies, source, cron, next);
    }

    [LoggerMessage(EventId = 6006, Level = LogLevel.Information, Message = "Worker stopped")]
    public static partial void WorkerStopped(this ILogger logger);
}
