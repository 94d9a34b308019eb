namespace Archiver.Worker.Tests.Http;

/// <summary>Every route there is.</summary>
internal static class KnownRoutes
{
    internal static readonly string[] Routes =
    [
        "/",
        "/metrics",
        "/archives",
        "/archives/ID",
        "/archives/absent",
        "/chat/archived/ID",
        "/runs",
        "/search?q=ID",
        "/transcript?id=ID",
        "/restore?id=ID",
        "/assets/site.css",
        "/nothing",
    ];
}
