using System.Net;

namespace Archiver.Worker.Http;

/// <summary>Messages of the HTTP side; ids 7000 to 7099. Never a path, a query or a header: they hold ids and keys.</summary>
internal static partial class HttpLog
{
    [LoggerMessage(
        EventId = 7000,
        Level = LogLevel.Warning,
        Message = "HTTP request refused: {Reason}, from {Address}; {Count} of them since the last such line"
    )]
    public static partial void Refused(this ILogger logger, string reason, IPAddress? address, long count);

    [LoggerMessage(EventId = 7001, Level = LogLevel.Error, Message = "HTTP request to {Route} failed unexpectedly; please report this")]
    public static partial void RequestFailed(this ILogger logger, Exception exception, string? route);

    [LoggerMessage(EventId = 7002, Level = LogLevel.Warning, Message = "HTTP request to {Route} answered 503: {Problem}")]
    public static partial void DatabaseAway(this ILogger logger, string? route, string problem);
}
