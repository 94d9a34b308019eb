using Polly;

namespace Archiver.Core.Diagnostics;

/// <summary>
/// How long an operation may be tried again, counted from its first failure and not from its begin: a long operation gets its retries, too.
/// </summary>
internal sealed class RetryBudget(TimeSpan budget, TimeProvider time)
{
    private static readonly ResiliencePropertyKey<RetryClock> Clock = new("archiver.retry-clock");

    /// <summary>Counts on from what failed before in the same operation.</summary>
    public static void GoOn(ResilienceContext context, RetryClock clock) => context.Properties.Set(Clock, clock);

    /// <summary>Whether it may be tried once more. Asked after each failure.</summary>
    public bool IsLeft(ResilienceContext context)
    {
        if (!context.Properties.TryGetValue(Clock, out var clock))
            GoOn(context, clock = new());
        var now = time.GetTimestamp();
        return time.GetElapsedTime(clock.FirstFailure ??= now, now) - clock.Earned < budget;
    }
}
