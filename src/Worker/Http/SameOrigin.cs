namespace Archiver.Worker.Http;

/// <summary>
/// Whether a request that changes something was sent by our own page. Browsers send a remembered Basic password with requests of any other
/// site's pages too; they say where a request comes from in headers that a page cannot set.
/// </summary>
internal static class SameOrigin
{
    /// <param name="basic">
    /// The key came as a Basic password, so a browser may have added it by itself: then it must say where the request comes from.
    /// </param>
    public static bool Allows(HttpRequest request, bool basic)
    {
        if (request.Headers["Sec-Fetch-Site"] is { Count: > 0 } site)
            return site == "same-origin";
        if (request.Headers.Origin is { Count: > 0 } origin)
            return Uri.TryCreate(origin, UriKind.Absolute, out var from)
                && from.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase);
        return !basic;
    }
}
