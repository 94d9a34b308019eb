using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;

namespace Archiver.Worker.Pages;

/// <summary>Renders a Razor component to a whole HTML page. Razor encodes every value, so text of a session cannot become markup.</summary>
internal sealed class PageRenderer(IServiceProvider services, ILoggerFactory loggers)
{
    /// <param name="model">
    /// What the page's <c>Model</c> gets. Razor makes components public, and what they show is internal: hence object.
    /// </param>
    public async Task<IResult> PageAsync<TPage>(object model, int status = StatusCodes.Status200OK)
        where TPage : IComponent
    {
        await using var renderer = new HtmlRenderer(services, loggers);
        var html = await renderer.Dispatcher.InvokeAsync(async () =>
        {
            var page = await renderer
                .RenderComponentAsync<TPage>(ParameterView.FromDictionary(new Dictionary<string, object?> { ["Model"] = model }))
                .ConfigureAwait(true);
            return page.ToHtmlString();
        });
        return Results.Content(html, "text/html; charset=utf-8", statusCode: status);
    }

    /// <summary>The page that says what did not work.</summary>
    public Task<IResult> ProblemAsync(int status, string title, params IReadOnlyList<string> lines) =>
        PageAsync<ProblemPage>(new ProblemModel(title, lines), status);

    public Task<IResult> NoArchiveAsync() =>
        ProblemAsync(StatusCodes.Status404NotFound, "Not found", "No ledger has an archive of this session.");
}
