using Archiver.Core;
using Archiver.Core.Settings;
using Archiver.Worker.Configuration;
using Archiver.Worker.Http;
using Archiver.Worker.Jobs;
using Archiver.Worker.Metrics;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Archiver.Worker.Hosting;

/// <summary>The host of the always-on worker: schedule and HTTP, over the same registrations as every verb.</summary>
internal static class WorkerHost
{
    /// <summary>Within which the batch in hand is finished or rolled back; orchestrators kill after 30 s.</summary>
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(25);

    public static WebApplication Build(ArchiverSettings settings, IConfiguration configuration, ILoggerFactory loggers)
    {
        // Production whatever the environment says: in Development the framework answers errors with stacks.
        var builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory, EnvironmentName = Environments.Production }
        );
        // Everything comes from the settings that were checked; a stray ASPNETCORE_URLS or Kestrel section must not change where it
        // listens.
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection();
        builder.WebHost.UseUrls(settings.Http.Urls.Split(';'));
        builder.WebHost.ConfigureKestrel(HttpLimits.Configure);
        builder.Services.Replace(ServiceDescriptor.Singleton(loggers));
        builder.Services.Replace(ServiceDescriptor.Singleton<IHostLifetime, InvocationLifetime>());
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopWithin);
        builder.Services.AddSingleton(provider => new Trigger(configuration, provider.GetRequiredService<ArchiverSettings>()));
        builder.Services.AddArchiverCore(settings).AddArchiverWorker(settings).AddArchiverHttp(settings);
        builder.Services.AddSingleton<WorkerOutcome>();
        // First, so that it stops last: it sends what the last run left.
        if (OtlpExport.IsConfigured(configuration))
            builder.Services.AddHostedService(provider => ActivatorUtilities.CreateInstance<OtlpExport>(provider, configuration));
        builder.Services.AddHostedService<SchedulerService>();
        builder.Services.AddHostedService<MemoryAtRest>();
        var app = builder.Build();
        app.UseArchiverHttp();
        // Only now are the addresses known: a port 0 is chosen by the system.
        app.Lifetime.ApplicationStarted.Register(() =>
        {
            var urls = string.Join(';', app.Urls);
            app.Logger.WorkerStarted(urls);
        });
        return app;
    }
}
