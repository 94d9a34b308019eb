using Archiver.Core.Settings;
using Archiver.Worker.Http;
using Archiver.Worker.Jobs;
using Archiver.Worker.Metrics;
using Archiver.Worker.Pages;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Archiver.Worker.Hosting;

/// <summary>Services and order of the HTTP side.</summary>
internal static class HttpRegistration
{
    private static readonly KeyValuePair<string, string>[] Headers =
    [
        new("X-Content-Type-Options", "nosniff"),
        new("X-Frame-Options", "DENY"),
        // Not no-referrer: browsers would send our own forms with the origin null.
        new("Referrer-Policy", "same-origin"),
        new("Cross-Origin-Resource-Policy", "same-origin"),
        new("Cross-Origin-Opener-Policy", "same-origin"),
        new("Cache-Control", "no-store"),
        new(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
                + "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        ),
    ];

    /// <summary>What the routes need beside the registrations that every verb has.</summary>
    public static IServiceCollection AddArchiverHttp(this IServiceCollection services, ArchiverSettings settings)
    {
        services.AddHttpLimits();
        services.AddExceptionHandler<HttpErrors>();
        services.TryAddSingleton(new ApiKey(settings.Http));
        services.TryAddSingleton<Guesses>();
        services.TryAddSingleton<Refusals>();
        services.TryAddSingleton<ReadinessProbe>();
        services.TryAddSingleton<RunStarter>();
        services.TryAddSingleton<PageRenderer>();
        services.TryAddSingleton<StatusBoard>();
        services.TryAddSingleton<LedgerMetrics>();
        services.TryAddSingleton<ProcessMetrics>();
        services.TryAddSingleton<PrometheusText>();
        return services;
    }

    /// <summary>Headers for every answer, errors without stacks, then the gate, then the limits, then the routes.</summary>
    public static void UseArchiverHttp(this WebApplication app)
    {
        // Made now: a batch that is measured before the first scrape must be in it.
        app.Services.GetRequiredService<LedgerMetrics>();
        app.Services.GetRequiredService<ProcessMetrics>();
        app.Services.GetRequiredService<PrometheusText>();
        app.Use(
            (context, next) =>
            {
                context.Response.OnStarting(() =>
                {
                    foreach (var (name, value) in Headers)
                        context.Response.Headers.TryAdd(name, value);
                    return Task.CompletedTask;
                });
                return next(context);
            }
        );
        app.UseExceptionHandler(_ => { });
        app.UseRouting();
        app.UseMiddleware<LastRequests>();
        app.UseMiddleware<Gate>();
        app.Use(QueryParameters.CheckAsync);
        app.UseRequestTimeouts();
        app.UseRateLimiter();
        app.MapHealth();
        app.MapMetrics();
        app.MapArchives();
        app.MapRuns();
        app.MapPages();
        app.MapActions();
    }
}
