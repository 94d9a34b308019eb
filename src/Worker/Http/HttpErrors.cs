using Archiver.Core.Diagnostics;
using Archiver.Core.Storage;
using Microsoft.AspNetCore.Diagnostics;

namespace Archiver.Worker.Http;

/// <summary>The boundary of a request: every exception becomes a status and one sentence. A stack goes to the log and nowhere else.</summary>
internal sealed class HttpErrors(ILogger<HttpErrors> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (httpContext.RequestAborted.IsCancellationRequested)
            return true;
        var (status, message) = Explain(exception);
        if (status == StatusCodes.Status500InternalServerError)
            logger.RequestFailed(exception, httpContext.GetEndpoint()?.DisplayName);
        httpContext.Response.StatusCode = status;
        await httpContext.Response.WriteAsJsonAsync(new ErrorBody(message), JsonForm.Options, cancellationToken).ConfigureAwait(false);
        return true;
    }

    private static (int Status, string Message) Explain(Exception exception) => exception switch
    {
        BadHttpRequestException e => (e.StatusCode, "The request is not as it should be: too large, cut short, or malformed."),
        ArchiverException { Kind: FailureKind.Configuration } e => (StatusCodes.Status400BadRequest, e.Message),
        ArchiverException { Kind: FailureKind.Refused } e => (StatusCodes.Status409Conflict, e.Message),
        ArchiverException e => (StatusCodes.Status502BadGateway, e.Message),
        StorageException e => (StatusCodes.Status502BadGateway, e.Message),
        _ => (StatusCodes.Status500InternalServerError, "Unexpected failure; the worker's log has the details."),
    };
}
