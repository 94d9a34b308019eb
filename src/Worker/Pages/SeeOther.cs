namespace Archiver.Worker.Pages;

/// <summary>Leads from a form that was posted back to a page: a reload of that page does not do it again.</summary>
internal sealed class SeeOther(string url) : IResult
{
    /// <param name="url">The page.</param>
    /// <param name="done">What was done, as <see cref="Notices"/> has it.</param>
    public static SeeOther To(string url, string done) =>
        new($"{url}{(url.Contains('?', StringComparison.Ordinal) ? '&' : '?')}done={done}");

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
        httpContext.Response.Headers.Location = url;
        return Task.CompletedTask;
    }
}
