using Archiver.Core.Diagnostics;
using Archiver.Core.Sources;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>
/// The boundary of every run, of a policy, a restore or a person's command: an exception becomes an outcome and is logged, once.
/// </summary>
internal static class FailedRun
{
    /// <summary>The outcome that an exception stands for, with its reason for people.</summary>
    /// <param name="source">Connections of the run's source.</param>
    /// <param name="name">The run's name in the log, such as <c>main/idle</c>.</param>
    /// <param name="exception">What ended the run.</param>
    /// <param name="logger">Gets it, unless the run was stopped on request.</param>
    public static async Task<(RunOutcome Outcome, string Error)> ExplainAsync(
        SourceConnections source,
        string name,
        Exception exception,
        ILogger logger
    )
    {
        var known = exception switch
        {
            OperationCanceledException => (RunOutcome.Cancelled, "Stopped on request."),
            ArchiverException { Kind: FailureKind.Refused or FailureKind.Configuration } e => (RunOutcome.Refused, e.Message),
            ArchiverException e => (RunOutcome.Failed, e.Message),
            StorageException e => (RunOutcome.Failed, e.Message),
            NpgsqlException or TimeoutException => (RunOutcome.Failed, (await source.ForPersonAsync(exception)).Message),
            _ => ((RunOutcome Outcome, string Error)?)null,
        };
        if (known is null)
            logger.RunFailedUnexpectedly(exception, name);
        else if (known.Value.Outcome != RunOutcome.Cancelled)
            logger.RunFailed(name, known.Value.Error);
        return known ?? (RunOutcome.Failed, $"Unexpected {exception.GetType().Name}; the log has the details.");
    }

    /// <summary>Records the end of a run. Why it could not be recorded is logged and returned; null when it was.</summary>
    public static async Task<Exception?> RecordEndAsync(Guid run, Func<Task> record, ILogger logger)
    {
        try
        {
            await record();
            return null;
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException or IOException)
        {
            logger.RunEndNotRecorded(exception, run);
            return exception;
        }
    }
}
