using Archiver.Core.Diagnostics;
using Archiver.Worker.Http;
using Archiver.Worker.Logging;
using Archiver.Worker.Pages;
using Microsoft.AspNetCore.Diagnostics;
using Npgsql;
using Quartz;

namespace Archiver.Worker.Hosting;

/// <summary>
/// The boundary of a request: every exception becomes a status and one sentence. A stack goes to the log and nowhere else.
/// </summary>
internal sealed class HttpErrors(PageRenderer pages, ILogger<HttpErrors> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (httpContext.RequestAborted.IsCancellationRequested)
            return true;
        var (status, message) = Explain(exception);
        if (status == StatusCodes.Status500InternalServerError)
            logger.RequestFailed(exception, httpContext.GetEndpoint()?.DisplayName);
        else if (exception is SchedulerException or NpgsqlException)
            logger.DatabaseAway(httpContext.GetEndpoint()?.DisplayName, ExceptionText.MessageOf(exception));
        // A person who followed a link gets a page with a way back, a program its JSON.
        var answer = httpContext.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase)
            ? await pages.ProblemAsync(status, "That did not work", message)
            : JsonForm.Error(status, message);
        await answer.ExecuteAsync(httpContext);
        return true;
    }

    private static (int Status, string Message) Explain(Exception exception) =>
        exception switch
        {
            BadHttpRequestException e => (e.StatusCode, "The request is not as it should be: too large, cut short, or malformed."),
            ArchiverException { Kind: FailureKind.Configuration } e => (StatusCodes.Status400BadRequest, e.Message),
            ArchiverException { Kind: FailureKind.Refused } e => (StatusCodes.Status409Conflict, e.Message),
            ArchiverException e => (StatusCodes.Status502BadGateway, e.Message),
            StorageException e => (StatusCodes.Status502BadGateway, e.Message),
            SchedulerException or NpgsqlException => (
                StatusCodes.Status503ServiceUnavailable,
                "A source's database does not answer as it should; the worker's log has the details. Try again later."
            ),
            _ => (StatusCodes.Status500InternalServerError, "Unexpected failure; the worker's log has the details."),
        };
}
