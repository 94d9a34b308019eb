using Archiver.Core.Diagnostics;
using Archiver.Core.Discard;
using Archiver.Core.Erasure;
using Archiver.Core.Ledger;
using Archiver.Core.Ownership;
using Archiver.Core.Pipelines;
using Archiver.Core.Proofs;
using Archiver.Core.Query;
using Archiver.Core.Reading;
using Archiver.Core.Reconciliation;
using Archiver.Core.Restore;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Status;
using Archiver.Core.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Archiver.Core;

/// <summary>Registration of the core; callable in any order and more than once.</summary>
public static class ServiceCollectionExtensions
{
    /// <summary>Registers everything that needs no host: the runner, the ledger's reports, the store.</summary>
    public static IServiceCollection AddArchiverCore(this IServiceCollection services, ArchiverSettings settings)
    {
        services.TryAddSingleton(settings);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ConnectionCatalog>();
        services.TryAddSingleton<BatchMeter>();
        services.TryAddSingleton<StoreRequests>();
        services.TryAddSingleton<ProofWork>();
        services.TryAddSingleton<ProofRunner>();
        services.TryAddSingleton(provider =>
            ArchiveStoreFactory.Create(
                settings.Storage,
                settings.Retry,
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILoggerFactory>(),
                provider.GetRequiredService<StoreRequests>().Count
            )
        );
        services.TryAddSingleton<IArchiveReader>(provider => provider.GetRequiredService<IArchiveStore>());
        services.TryAddSingleton(provider => new PolicyRunner(
            settings,
            provider.GetRequiredService<ConnectionCatalog>(),
            provider.GetRequiredService<IArchiveStore>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<PolicyRunner>>(),
            provider.GetRequiredService<BatchMeter>()
        ));
        services.TryAddSingleton(provider => new RestoreRunner(
            settings,
            provider.GetRequiredService<ConnectionCatalog>(),
            provider.GetRequiredService<IArchiveReader>(),
            provider.GetRequiredService<PolicyRunner>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<RestoreRunner>>()
        ));
        services.TryAddSingleton<ArchiveVerifier>();
        services.TryAddSingleton<LedgerRebuilder>();
        services.TryAddSingleton<LedgerMover>();
        services.TryAddSingleton<Reconciler>();
        services.TryAddSingleton<SourceRename>();
        services.TryAddSingleton<Discarder>();
        services.TryAddSingleton<Eraser>();
        services.TryAddSingleton<PolicyPreview>();
        services.TryAddSingleton<SessionExplainer>();
        services.TryAddSingleton<StatusReader>();
        services.TryAddSingleton<ArchiveList>();
        services.TryAddSingleton<ArchiveLocator>();
        services.TryAddSingleton<ArchiveDownloader>();
        services.TryAddSingleton<TranscriptReader>();
        services.TryAddSingleton<ReadAudit>();
        services.TryAddTransient<ArchiveSelection>();
        return services;
    }
}
