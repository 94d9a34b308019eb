using System.Globalization;
using System.Text.Json;
using Archiver.Core.Diagnostics;
using Microsoft.AspNetCore.Http.Features;

namespace Archiver.Worker.Http;

/// <summary>
/// Values of a request, checked: what is not right is a 400 that names the parameter, and never reaches SQL or the store.
/// </summary>
internal static class RequestValues
{
    private const int Longest = 512;

    private static readonly string[] DateForms =
    [
        "yyyy-MM-dd",
        "yyyy-MM-dd'T'HH:mmzzz",
        "yyyy-MM-dd'T'HH:mm:sszzz",
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz",
    ];

    /// <summary>A parameter of the query, or null; an empty one counts as absent, as forms send it.</summary>
    /// <exception cref="ArchiverException">It is given twice, too long, or holds control characters.</exception>
    public static string? Text(this IQueryCollection query, string name) =>
        query[name] switch
        {
            { Count: 0 } => null,
            [""] => null,
            [{ } value] => Clean(name, value),
            _ => throw Bad(name, "must be given once"),
        };

    public static int? Count(this IQueryCollection query, string name, int most) =>
        query.Text(name) switch
        {
            null => null,
            var text
                when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= 1 && value <= most =>
                value,
            _ => throw Bad(name, string.Create(CultureInfo.InvariantCulture, $"must be a whole number from 1 to {most}")),
        };

    /// <summary>One of some words, or null.</summary>
    public static string? Word(this IQueryCollection query, string name, IReadOnlyList<string> words) =>
        query.Text(name) is { } text && !words.Contains(text)
            ? throw Bad(name, $"must be one of {string.Join(", ", words)}")
            : query.Text(name);

    public static long? Id(this IQueryCollection query, string name) =>
        query.Text(name) switch
        {
            null => null,
            var text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) => value,
            _ => throw Bad(name, "must be a whole number"),
        };

    /// <summary>A date (UTC), or a time with its offset.</summary>
    public static DateTimeOffset? Instant(this IQueryCollection query, string name) => Instant(name, query.Text(name));

    /// <inheritdoc cref="Instant(IQueryCollection, string)"/>
    public static DateTimeOffset? Instant(string name, string? text)
    {
        if (text is null)
            return null;
        // A '+' in a query is a blank unless it was encoded; "zzz" does not take Z.
        var value = (text.EndsWith('Z') ? $"{text[..^1]}+00:00" : text).Replace(' ', '+');
        return DateTimeOffset.TryParseExact(value, DateForms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant)
            ? instant
            : throw Bad(name, "must be a date such as 2026-01-31, or a time with its offset such as 2026-01-31T02:00:00Z");
    }

    /// <summary>
    /// What is wrong with the path as it was sent, or null. It must be a path: routing takes one out of <c>http://host/path</c>, and an id
    /// would be read from another place. And it must not hold <c>.</c> or <c>..</c> as a segment: the server takes them out before routing,
    /// so that <c>/archives/../</c> would be another route than a proxy in front of it has seen.
    /// </summary>
    public static string? PathProblem(HttpRequest request)
    {
        var path = RawPath(request);
        if (!path.StartsWith('/'))
            return "The target of the request must be a path, without scheme and host.";
        return path.Split('/', '\\')
            .Any(s => Uri.UnescapeDataString(Uri.UnescapeDataString(s)).Split('/', '\\').Any(part => part is "." or ".."))
            ? "The path must not hold dot segments."
            : null;
    }

    /// <summary>The segment of the path that holds a session's id, decoded. Routing leaves %2F as it is; ids may hold a slash.</summary>
    public static string SessionId(this HttpRequest request)
    {
        var route = (RouteEndpoint)request.HttpContext.GetEndpoint()!;
        var id = RawPath(request)
            .Split('/')
            .ElementAtOrDefault(1 + route.RoutePattern.PathSegments.TakeWhile(s => s.IsSimple && s.Parts[0].IsLiteral).Count());
        return string.IsNullOrEmpty(id) ? throw Bad("session_id", "is missing") : Clean("session_id", Uri.UnescapeDataString(id));
    }

    /// <summary>The JSON body, or null where there is none. Only JSON is read: a form of another site's page cannot send it.</summary>
    public static async Task<T?> BodyAsync<T>(this HttpRequest request, CancellationToken cancellationToken)
        where T : class
    {
        if (request.ContentLength is null or 0 && !request.Headers.ContainsKey("Transfer-Encoding"))
            return null;
        if (!request.HasJsonContentType())
            throw new BadHttpRequestException("The body must be JSON.", StatusCodes.Status415UnsupportedMediaType);
        try
        {
            return await JsonSerializer.DeserializeAsync(request.Body, JsonForm.Body<T>(), cancellationToken);
        }
        catch (JsonException exception)
        {
            throw new ArchiverException(FailureKind.Configuration, "The body is not JSON of the members that this route knows.", exception);
        }
    }

    /// <summary>A text of a body or a form.</summary>
    public static string Clean(string name, string value) =>
        value.Length is 0 or > Longest
            ? throw Bad(name, string.Create(CultureInfo.InvariantCulture, $"must have 1 to {Longest} characters"))
        : value.Any(char.IsControl) ? throw Bad(name, "must not hold control characters")
        : value.EnumerateRunes().Any(r => r == System.Text.Rune.ReplacementChar) ? throw Bad(name, "must be valid UTF-8")
        : value;

    private static string RawPath(HttpRequest request) =>
        request.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?', 2)[0];

    private static ArchiverException Bad(string name, string rule) => new(FailureKind.Configuration, $"{name} {rule}.");
}
