using Archiver.Core.Diagnostics;
using Archiver.Core.Inspection;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>
/// The frame of every run, whatever its action: ledger current, source inspected, lock taken, run recorded; and at its end the record
/// closed and the lock given back.
/// </summary>
internal sealed class RunScope : IAsyncDisposable
{
    private readonly SourceLock _lock;

    private RunScope(RunContext context, SourceLock taken, IReadOnlyList<string> warnings, long deadRuns)
    {
        Context = context;
        _lock = taken;
        Warnings = warnings;
        DeadRuns = deadRuns;
    }

    public RunContext Context { get; }

    /// <summary>What inspection wants a person to know.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>Earlier runs that had died without a word.</summary>
    public long DeadRuns { get; }

    /// <summary>Cancelled when the source's lock is lost.</summary>
    public CancellationToken Lost => _lock.Lost;

    /// <summary>Null when another worker runs on the source, or on the shard.</summary>
    /// <exception cref="ArchiverException">Inspection or the ledger refuses.</exception>
    /// <exception cref="NpgsqlException">The server failed.</exception>
    public static async Task<RunScope?> BeginAsync(
        RunRequest request,
        ArchiverSettings settings,
        SourceConnections connections,
        TimeProvider time,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await connections.OpenAsync(cancellationToken);
        await PrepareLedgerAsync(connection, settings.AutoMigrate, cancellationToken);
        var inspection = await SourceInspector.InspectAsync(connection, request.Source, cancellationToken, settings.Batch.LockTimeout);
        var shape = inspection.Require(request.Source.Name);
        var shard = request.Shard ?? Shard.Whole;
        var keys = SourceLockKey.ForShard(request.Source.Name, shard.Number, shard.Count);
        var taken = await SourceLock.TryTakeAsync(connections, keys, request.Source.Name, time, cancellationToken);
        if (taken is null)
        {
            // Somebody who has the whole source, or a part of it, because of another number of shards would be met again and again.
            await RunShards.RequireAgreementAsync(connection, request.Source.Name, shard.Count, cancellationToken);
            return null;
        }
        try
        {
            await SourceRegistry.RegisterAsync(connections, connection, inspection.Source, cancellationToken);
            var (database, now) = await DatabaseIdentity.ReadAsync(connection, cancellationToken);
            var context = new RunContext
            {
                Id = Guid.CreateVersion7(now),
                Source = inspection.Source,
                Policy = request.Policy,
                Shard = shard,
                Batch = settings.Batch,
                Cutoffs = new Cutoffs(now),
                Database = database,
                Shape = shape,
                Connections = connections,
                Lease = taken.Lease,
                Unwatched = new(logger),
            };
            var dead = await RunJournal.BeginAsync(
                connection,
                context.Id,
                request.Policy,
                shard,
                taken.Lease,
                context.Cutoffs,
                cancellationToken
            );
            IReadOnlyList<string> warnings = LedgerOwner.WhyNot(database) is { } reason
                ?
                [
                    .. inspection.Warnings,
                    $"Runs go on, and discard, erase and reconcile --fix destroy nothing here: {reason}. See: archiver ledger own --help",
                ]
                : inspection.Warnings;
            return new(context, taken, warnings, dead);
        }
        catch
        {
            await taken.DisposeAsync();
            throw;
        }
    }

    /// <summary>Creates or upgrades the ledger, or only checks it where this worker may not.</summary>
    public static async Task PrepareLedgerAsync(NpgsqlConnection connection, bool migrate, CancellationToken cancellationToken)
    {
        if (migrate)
            await Migrator.MigrateAsync(connection, cancellationToken);
        else
            await Migrator.RequireCurrentAsync(connection, cancellationToken);
    }

    /// <summary>Closes the run's record.</summary>
    public Task EndAsync(RunSummary summary) => RunJournal.EndAsync(Context.Connections, Context.Id, Context.Source.Name, summary);

    public ValueTask DisposeAsync() => _lock.DisposeAsync();
}
