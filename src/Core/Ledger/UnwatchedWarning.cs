using Archiver.Core.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Archiver.Core.Ledger;

/// <summary>
/// Says once a run that its transactions cannot be watched for waiters: the same cause would be met again with every batch.
/// </summary>
internal sealed class UnwatchedWarning(ILogger logger)
{
    private int _said;

    public void Warn(Exception exception)
    {
        if (Interlocked.Exchange(ref _said, 1) == 0)
            logger.WaitersNotSeen(exception.Message);
    }
}
