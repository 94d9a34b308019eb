using Archiver.Worker.Commands;
using Archiver.Worker.Output;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Archiver.Worker;

/// <summary>Registration of the worker; callable in any order and more than once.</summary>
internal static class ServiceCollectionExtensions
{
    /// <summary>Registers the verbs and what they share.</summary>
    public static IServiceCollection AddArchiverWorker(this IServiceCollection services)
    {
        services.TryAddSingleton<Terminal>();
        services.TryAddSingleton<PolicyChoice>();
        services.TryAddSingleton<SourceErrors>();
        services.TryAddSingleton<ProgressDisplay>();
        foreach (var verb in ArchiverCommandLine.Verbs)
            services.TryAddTransient(verb);
        return services;
    }
}
