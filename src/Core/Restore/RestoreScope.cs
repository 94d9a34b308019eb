using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Restore;

/// <summary>
/// The frame of a restore into the source itself: ledger current, the source's lock taken, a run recorded; so that no archive run works on
/// a session that is coming back. Inspection has no part: what forbids deleting does not forbid restoring.
/// </summary>
internal sealed class RestoreScope : IAsyncDisposable
{
    /// <summary>Stands for the policy of the run's row.</summary>
    public const string Name = "restore";

    private readonly SourceConnections _connections;
    private readonly SourceLock _lock;
    private readonly string _source;

    private RestoreScope(Guid run, string source, SourceConnections connections, SourceLock taken) =>
        (RunId, _source, _connections, _lock) = (run, source, connections, taken);

    public Guid RunId { get; }

    public Lease Lease => _lock.Lease;

    /// <summary>Cancelled when the source's lock is lost.</summary>
    public CancellationToken Lost => _lock.Lost;

    /// <summary>Null when another worker runs on the source.</summary>
    /// <exception cref="NpgsqlException">The server failed.</exception>
    public static async Task<RestoreScope?> BeginAsync(
        SourceSettings source,
        ArchiverSettings settings,
        SourceConnections connections,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await connections.OpenAsync(cancellationToken);
        await RunScope.PrepareLedgerAsync(connection, settings.AutoMigrate, cancellationToken);
        var taken = await SourceLock.TryTakeAsync(connections, time, cancellationToken);
        if (taken is null)
            return null;
        try
        {
            await SourceRegistry.RegisterAsync(connections, connection, source, cancellationToken);
            var (_, now) = await DatabaseIdentity.ReadAsync(connection, cancellationToken);
            var run = Guid.CreateVersion7(now);
            await RunJournal.BeginAsync(connection, run, source.Name, Name, "restore", taken.Lease, new Cutoffs(now), cancellationToken);
            return new(run, source.Name, connections, taken);
        }
        catch
        {
            await taken.DisposeAsync();
            throw;
        }
    }

    /// <summary>Closes the run's record.</summary>
    public Task EndAsync(RestoreReport report)
    {
        var reasons = report.Refused.GroupBy(r => r.Reason).ToDictionary(g => g.Key, g => (long)g.Count());
        var summary = new RunSummary
        {
            RunId = RunId,
            Source = _source,
            Policy = Name,
            Outcome = report.Outcome,
            Selected = report.Selected,
            Skipped = report.AlreadyThere,
            Failed = report.Refused.Count,
            Reasons = reasons,
            Error = report.Error,
        };
        return RunJournal.EndAsync(_connections, RunId, _source, summary);
    }

    public ValueTask DisposeAsync() => _lock.DisposeAsync();
}
