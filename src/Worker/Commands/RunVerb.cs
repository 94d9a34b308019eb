using System.CommandLine;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Worker.Configuration;
using Archiver.Worker.Hosting;
using Archiver.Worker.Jobs;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver run</c>: the always-on worker, or what <c>ARCHIVER_TRIGGER</c> says.</summary>
internal sealed class RunVerb(
    ArchiverSettings settings,
    IConfiguration configuration,
    Trigger trigger,
    SourceRuns runs,
    Terminal terminal,
    ILoggerFactory loggers
) : IVerb
{
    public static Command Describe() =>
        new(
            "run",
            """
            Runs as the always-on worker: every policy on its schedule, health checks over HTTP. Also what happens without a verb.
            With ARCHIVER_TRIGGER (archive, purge, expire, all or source/policy) it runs that once and exits with the outcome;
            with ARCHIVER_TRIGGER_EXIT=false it then goes on as a worker.
            Example: archiver run --config /etc/archiver/appsettings.json
            """
        );

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        if (trigger is { IsSet: true, Exits: true })
            return await RunOnceAsync(cancellationToken);
        await using var app = WorkerHost.Build(settings, configuration, loggers);
        // The end of the run disposes the services.
        var outcome = app.Services.GetRequiredService<WorkerOutcome>();
        try
        {
            await app.RunAsync(cancellationToken);
        }
        catch (IOException exception)
        {
            throw new ArchiverException(
                FailureKind.Failed,
                $"Cannot listen on {settings.Http.Urls} (Archiver:Http:Urls): {exception.Message}",
                exception
            );
        }
        if (outcome.ExitCode != ExitCode.Done)
            terminal.Fail("The scheduler failed and the worker ended; the log above says why.");
        return outcome.ExitCode;
    }

    private async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        List<RunSummary> all = [];
        foreach (var source in settings.Sources)
        {
            all.AddRange(await runs.RunAsync(source.Name, [.. trigger.Policies(source).Select(p => p.Name)], cancellationToken));
        }
        all.ForEach(s => SummaryText.WriteError(s, terminal));
        return ExitCode.Worst(all, s => s.ExitCode, s => s.Sessions > 0);
    }
}
