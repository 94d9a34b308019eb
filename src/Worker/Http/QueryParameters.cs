using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;

namespace Archiver.Worker.Http;

/// <summary>
/// The query parameters that a route knows. Any other is refused: a misspelled filter that is passed over answers with everything.
/// </summary>
internal static class QueryParameters
{
    /// <summary>Names what the route knows; a route that was not told is not checked.</summary>
    public static TBuilder WithQuery<TBuilder>(this TBuilder route, params string[] names)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new Known(names));

    /// <summary>Checks a request before its route runs.</summary>
    /// <exception cref="ArchiverException">It has a parameter that the route does not know; kind Configuration.</exception>
    public static Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        if (
            context.GetEndpoint()?.Metadata.GetMetadata<Known>() is { } known
            && context.Request.Query.Keys.FirstOrDefault(k => !known.Names.Contains(k, StringComparer.OrdinalIgnoreCase)) is { } unknown
        )
        {
            var takes = known.Names.Count == 0 ? "It takes none." : $"It takes: {string.Join(", ", known.Names)}.";
            var hint = DidYouMean.Hint(unknown, known.Names) is { Length: > 0 } meant ? meant : ".";
            throw new ArchiverException(
                FailureKind.Configuration,
                $"This route has no query parameter '{Visible.Text(unknown)}'{hint} {takes}"
            );
        }
        return next(context);
    }

    private sealed record Known(IReadOnlyList<string> Names);
}
