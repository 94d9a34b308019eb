using Archiver.Core.Settings;
using Archiver.Worker.Access;
using Archiver.Worker.Commands;
using Archiver.Worker.Configuration;
using Archiver.Worker.Jobs;
using Archiver.Worker.Output;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Quartz;

namespace Archiver.Worker;

/// <summary>Registration of the worker; callable in any order and more than once.</summary>
internal static class ServiceCollectionExtensions
{
    /// <summary>Registers the verbs, the jobs and what they share.</summary>
    public static IServiceCollection AddArchiverWorker(this IServiceCollection services, ArchiverSettings settings)
    {
        services.TryAddSingleton<PolicyChoice>();
        services.TryAddSingleton<SourceErrors>();
        services.TryAddSingleton<LedgerAccess>();
        services.TryAddSingleton<ArchiveLookup>();
        services.TryAddSingleton<Absence>();
        services.TryAddSingleton<ReadingOptions>();
        services.TryAddSingleton<ProgressDisplay>();
        services.TryAddTransient<ActionVerb>();
        foreach (var verb in ArchiverCommandLine.Verbs)
            services.TryAddTransient(verb);

        services.TryAddSingleton<Trigger>();
        services.TryAddSingleton<Readiness>();
        services.TryAddSingleton<ServerWait>();
        services.TryAddSingleton<SourceTurns>();
        services.TryAddSingleton<SourceRuns>();
        services.TryAddSingleton<MissedRuns>();
        services.TryAddSingleton<DiscardSchedule>();
        services.TryAddSingleton<ProofSchedule>();
        services.TryAddSingleton<PolicySchedule>();
        services.TryAddSingleton<SourceSchedule>();
        services.TryAddSingleton<LocalSchedule>();
        services.TryAddSingleton<ClusterScheduler>();
        services.TryAddSingleton<ClusteredSchedule>();
        services.TryAddTransient<PolicyJob>();
        services.TryAddTransient<DiscardJob>();
        services.TryAddTransient<ProofJob>();
        services.AddQuartz(quartz =>
            quartz
                .ConfigureScheduler(scheduler => scheduler.ShutdownJobInterruption = ShutdownJobInterruption.Always)
                // A job that waits for its source holds a thread meanwhile; no job may wait for one.
                .UseDefaultThreadPool(
                    Math.Max(10, settings.Sources.Sum(s => s.Policies.Count + 1 + Enum.GetValues<Core.Proofs.Proof>().Length))
                )
        );
        return services;
    }
}
