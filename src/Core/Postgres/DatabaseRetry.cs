using Archiver.Core.Configuration;
using Polly;
using Polly.Retry;

namespace Archiver.Core.Postgres;

/// <summary>
/// Repeats a whole transaction after a passing fault (connection lost, deadlock, server short of resources), with back-off, until the
/// retry budget is spent. Safe because every stage can be run again on the same batch, and the delete checks its lease each time.
/// </summary>
internal sealed class DatabaseRetry
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(10);

    private readonly ResiliencePipeline _pipeline;

    public DatabaseRetry(RetrySettings settings, TimeProvider time) => _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<Exception>(PgErrors.IsTransient),
            MaxRetryAttempts = Math.Max(1, (int)Math.Min(1000, settings.Budget / LongestDelay) + 6),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            Delay = FirstDelay,
            MaxDelay = LongestDelay,
        })
        .Build();

    public async Task<T> ExecuteAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        await _pipeline.ExecuteAsync(async token => await work(token).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
}
