using Archiver.Core;
using Archiver.Core.Configuration;
using Archiver.Core.Ledger;
using Archiver.Core.Lifecycle;

namespace Archiver.Worker.Jobs;

/// <summary>Runs policies of a source one after another, in their order. Schedule and trigger both go through it, so they queue instead of colliding.</summary>
internal sealed class SourceRuns(ArchiverSettings settings, PolicyRunner runner, Discarder discarder, ServerWait servers) : IDisposable
{
    private readonly Dictionary<string, SemaphoreSlim> _turns = settings.Sources.ToDictionary(s => s.Name, _ => new SemaphoreSlim(1), StringComparer.Ordinal);

    /// <summary>Runs them as soon as the source's servers answer: an outage at the scheduled time delays a run and does not cost it.</summary>
    public async Task<IReadOnlyList<RunSummary>> RunWhenReadyAsync(string source, IReadOnlyCollection<string> policies, CancellationToken cancellationToken)
    {
        await servers.UntilReadyAsync(settings.Sources.Single(s => s.Name == source), cancellationToken).ConfigureAwait(false);
        return await RunAsync(source, policies, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs them now; what becomes of each is in its summary.</summary>
    public async Task<IReadOnlyList<RunSummary>> RunAsync(string source, IReadOnlyCollection<string> policies, CancellationToken cancellationToken)
    {
        var turn = _turns[source];
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            List<RunSummary> summaries = [];
            var settingsOfSource = settings.Sources.Single(s => s.Name == source);
            foreach (var policy in settingsOfSource.Policies.Where(p => policies.Contains(p.Name)))
            {
                summaries.Add(await runner.RunAsync(new RunRequest(settingsOfSource, policy), progress: null, cancellationToken).ConfigureAwait(false));
                if (cancellationToken.IsCancellationRequested)
                    break;
            }
            return summaries;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Discards what is due, in its turn; the outcome is in the log and the ledger.</summary>
    public async Task DiscardWhenReadyAsync(string source, string who, CancellationToken cancellationToken)
    {
        var settingsOfSource = settings.Sources.Single(s => s.Name == source);
        await servers.UntilReadyAsync(settingsOfSource, cancellationToken).ConfigureAwait(false);
        var turn = _turns[source];
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await discarder.RunAsync(settingsOfSource, who, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose()
    {
        foreach (var turn in _turns.Values)
            turn.Dispose();
    }
}
