using Microsoft.Extensions.Logging;

namespace Archiver.Core.Diagnostics;

/// <summary>Messages of the storage edge; ids 5000 to 5099.</summary>
internal static partial class Log
{
    /// <summary>The message holds no secret: it is a <see cref="StorageException"/>'s.</summary>
    [LoggerMessage(
        EventId = 5000,
        Level = LogLevel.Warning,
        Message = "Storage {Operation} failed, attempt {Attempt}, again in {DelayMs} ms: {Problem}"
    )]
    public static partial void StorageRetry(this ILogger logger, string operation, int attempt, long delayMs, string problem);

    [LoggerMessage(EventId = 5001, Level = LogLevel.Warning, Message = "The store does not take {Key}: {Problem}")]
    public static partial void ObjectRefused(this ILogger logger, string key, string problem);
}
