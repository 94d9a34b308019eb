using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Microsoft.Extensions.Logging;

namespace Archiver.Core.Ledger;

/// <summary>Keeps book of what becomes of a run's sessions: counts, log, quarantine.</summary>
internal sealed class SessionOutcomes(RunContext run, RetrySettings settings, DatabaseRetry retry, RunTally tally, ILogger logger)
{
    /// <summary>So many failures without one session in between that went through are no matter of single sessions.</summary>
    private const int MostInARow = 100;

    private int _failedInARow;

    /// <summary>Sessions that left their batch; those that failed are noted for the quarantine.</summary>
    /// <exception cref="ArchiverException">
    /// Nothing but failures for so long that the run would store a backlog of which nothing can go.
    /// </exception>
    public async Task DropAsync(IReadOnlyCollection<DroppedSession> dropped, CancellationToken cancellationToken)
    {
        tally.AddDropped(dropped);
        foreach (var session in dropped)
        {
            if (session.Failed)
                logger.SessionFailed(session.Key, session.Reason);
            else
                logger.SessionSkipped(session.Key, session.Reason);
        }
        var failed = dropped.Where(d => d.Failed).ToList();
        await retry.ExecuteAsync(token => Quarantine.RecordAsync(run, settings, failed, token), cancellationToken);
        if (failed.Count > 0 && Interlocked.Add(ref _failedInARow, failed.Count) >= MostInARow)
            throw new ArchiverException(
                FailureKind.Failed,
                $"The last {MostInARow} sessions or more all failed, the latest with: {failed[^1].Reason}. What fails for all is no matter "
                    + "of single sessions: look for its cause, in the server's log too. What was committed before stays."
            );
    }

    /// <summary>
    /// Forgets the failures of sessions that are through. After their commit, not in it: a row that a crash leaves says too much of a
    /// session that is done with, and nothing more.
    /// </summary>
    public Task<int> ForgetFailuresAsync(IEnumerable<string> keys, CancellationToken cancellationToken)
    {
        if (keys.Any())
            Interlocked.Exchange(ref _failedInARow, 0);
        return retry.ExecuteAsync(
            async token =>
            {
                await using var connection = await run.Connections.OpenAsync(token);
                return await Quarantine.ClearAsync(connection, run.Source.Name, keys, token);
            },
            cancellationToken
        );
    }
}
