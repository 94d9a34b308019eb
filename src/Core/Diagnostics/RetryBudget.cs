using Polly;

namespace Archiver.Core.Diagnostics;

/// <summary>
/// How long an operation may be tried again, counted from its first failure and not from its begin: a long operation gets its retries, too.
/// </summary>
internal sealed class RetryBudget(TimeSpan budget, TimeProvider time)
{
    private static readonly ResiliencePropertyKey<long> FirstFailure = new("archiver.first-failure");

    /// <summary>Whether it may be tried once more. Asked after each failure.</summary>
    public bool IsLeft(ResilienceContext context)
    {
        var now = time.GetTimestamp();
        if (!context.Properties.TryGetValue(FirstFailure, out var first))
            context.Properties.Set(FirstFailure, first = now);
        return time.GetElapsedTime(first, now) < budget;
    }
}
