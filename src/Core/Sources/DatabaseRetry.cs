using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Polly;
using Polly.Retry;

namespace Archiver.Core.Sources;

/// <summary>
/// Repeats a whole transaction after a passing fault (connection lost, deadlock, server short of resources), with back-off, until the retry
/// budget has passed since its first failure, however long each attempt takes. Safe because every stage can be run again on the same batch,
/// and the delete checks its lease each time.
/// </summary>
internal sealed class DatabaseRetry
{
    /// <summary>Retries in any case: connections of the pool that broke together are found out one by one.</summary>
    private const int Always = 6;

    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(10);

    private readonly ResiliencePipeline _pipeline;

    public DatabaseRetry(RetrySettings settings, TimeProvider time)
    {
        Time = time;
        var budget = new RetryBudget(settings.Budget, time);
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(
                new RetryStrategyOptions
                {
                    ShouldHandle = args =>
                        ValueTask.FromResult(
                            args.Outcome.Exception is { } exception
                                && PgErrors.IsTransient(exception)
                                && (budget.IsLeft(args.Context) || args.AttemptNumber < Always)
                        ),
                    MaxRetryAttempts = int.MaxValue,
                    BackoffType = DelayBackoffType.Exponential,
                    UseJitter = true,
                    Delay = FirstDelay,
                    MaxDelay = LongestDelay,
                }
            )
            .Build();
    }

    /// <summary>By which it waits.</summary>
    public TimeProvider Time { get; }

    public async Task<T> ExecuteAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        await _pipeline.ExecuteAsync(async token => await work(token), cancellationToken);
}
