using Archiver.Core.Bucket;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Microsoft.Extensions.Logging;

namespace Archiver.Core.Pipelines;

/// <summary>What every stage of one run works with. Its clock for <c>MaxDuration</c> begins here.</summary>
internal sealed class RunFrame(RunScope scope, RunServices services, RunTally tally, TombstoneSet erased)
{
    public RunContext Run => scope.Context;

    public ArchiverSettings Settings => services.Settings;

    public IArchiveStore Store => services.Store;

    public DatabaseRetry Retry => services.Retry;

    public TimeProvider Time => services.Time;

    public ILogger Logger => services.Logger;

    public RunTally Tally => tally;

    /// <summary>Sessions and users that were erased: none of them may be archived again.</summary>
    public TombstoneSet Erased => erased;

    /// <summary>Cancelled when the source's lock is lost.</summary>
    public CancellationToken Lost => scope.Lost;

    public SessionOutcomes Outcomes { get; } = new(scope.Context, services.Settings.Retry, services.Retry, tally, services.Logger);

    public RunLimits Limits { get; } = new(scope.Context, services.Settings.Retry, services.Time, services.Logger);

    public PhaseMeter Meter { get; } = new(services.Batches, scope.Context, services.Time);

    public ArchiveLedger Ledger { get; } = new(scope.Context, services.Store.Location);

    /// <summary>Whether no further batch is to be taken.</summary>
    public Task<bool> EndsAsync(CancellationToken cancellationToken) => Limits.EndRunAsync(Retry, tally, cancellationToken);

    /// <summary>Does work that stops when the source's lock is lost.</summary>
    /// <param name="work">Takes batch after batch.</param>
    /// <param name="cancellationToken">Stops it for another reason.</param>
    /// <exception cref="ArchiverException">The lock was lost.</exception>
    public async Task<T> WhileLockedAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, Lost);
        try
        {
            return await work(stop.Token);
        }
        catch (OperationCanceledException) when (Lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw LockLost();
        }
    }

    public ArchiverException LockLost() =>
        new(
            FailureKind.Failed,
            $"The run's lock on source '{Run.Source.Name}' was lost: its connection to the server broke. Batches in hand were dropped; "
                + "nothing of them was changed."
        );
}
