namespace Archiver.Worker.Http;

/// <summary>
/// In front of every route. Without a configured key everything but health is absent; without the right key every path, known or not,
/// answers the same 401, so that nobody learns which routes or sessions exist. A change asked for from a browser must come from our own
/// page.
/// </summary>
internal sealed class Gate(RequestDelegate next, ApiKey key, Guesses guesses, Refusals refusals)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (RequestValues.PathProblem(context.Request) is { } problem)
            return EndAsync(context, StatusCodes.Status400BadRequest, problem);
        if (context.GetEndpoint()?.Metadata.GetMetadata<OpenToAll>() is not null)
            return next(context);
        var metrics = context.GetEndpoint()?.Metadata.GetMetadata<OpenToMetricsKey>() is not null;
        if (!key.IsConfigured(metrics))
            return EndAsync(
                context,
                StatusCodes.Status404NotFound,
                "No such route. Routes other than health are off: Archiver:Http:ApiKey is not set."
            );
        var (authorization, basic) = (context.Request.Headers.Authorization, false);
        var opens =
            authorization.Count > 0
                ? guesses.Try(context.Connection.RemoteIpAddress, () => key.Opens(authorization, metrics, out basic))
                : false;
        if (opens is null)
        {
            refusals.Add("too many wrong keys", context);
            context.Response.Headers.RetryAfter = "60";
            return EndAsync(
                context,
                StatusCodes.Status429TooManyRequests,
                "Too many wrong keys came from this address. Try again in a minute."
            );
        }
        if (opens is false)
        {
            refusals.Add(context.Request.Headers.Authorization.Count == 0 ? "no key" : "wrong key", context);
            // Both schemes in one answer: browsers ask for the password, programs see what is wanted.
            context.Response.Headers.WWWAuthenticate = new(["Basic realm=\"archiver\", charset=\"UTF-8\"", "Bearer realm=\"archiver\""]);
            return EndAsync(
                context,
                StatusCodes.Status401Unauthorized,
                "The key is needed: Authorization: Bearer <key>, or Basic with the key as password."
            );
        }
        if (
            !HttpMethods.IsGet(context.Request.Method)
            && !HttpMethods.IsHead(context.Request.Method)
            && !SameOrigin.Allows(context.Request, basic)
        )
        {
            refusals.Add("other origin", context);
            return EndAsync(
                context,
                StatusCodes.Status403Forbidden,
                "This must come from the archiver's own page, or from a program with Authorization: Bearer."
            );
        }
        return next(context);
    }

    private static Task EndAsync(HttpContext context, int status, string message)
    {
        // What is left of a body is not read for somebody who is refused.
        context.Response.Headers.Connection = "close";
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(
            new ErrorBody(message),
            JsonForm.Answer<ErrorBody>(),
            cancellationToken: context.RequestAborted
        );
    }
}
