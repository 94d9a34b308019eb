using Archiver.Core.Diagnostics;
using Archiver.Core.Policies;
using Archiver.Core.Sources;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>The boundary of a run: every exception becomes an outcome and is logged, once.</summary>
internal sealed class RunFailures(ConnectionCatalog connections, ILogger logger)
{
    /// <summary>Runs it; no outcome means that it came to its end.</summary>
    public async Task<(RunOutcome? Outcome, string? Error)> GuardAsync(RunRequest request, Func<Task> run)
    {
        try
        {
            await run();
            return (null, null);
        }
        catch (Exception exception)
        {
            return await ExplainAsync(request, exception);
        }
    }

    /// <summary>The outcome that an exception stands for, with its reason for people.</summary>
    public async Task<(RunOutcome Outcome, string Error)> ExplainAsync(RunRequest request, Exception exception)
    {
        if (
            exception is PostgresException error
            && await WhereFault.ExplainAsync(connections[request.Source.Name], request.Policy, error) is { } where
        )
            exception = where;
        return await FailedRun.ExplainAsync(connections[request.Source.Name], request.Policy.FullName, exception, logger);
    }
}
