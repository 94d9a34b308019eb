using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace Archiver.Core.Storage;

/// <summary>
/// Repeats an operation of the store for as long as <see cref="RetrySettings.Budget"/> allows, counted from its first failure.
/// </summary>
internal sealed class StorageRetry
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(20);

    private readonly ResiliencePipeline _pipeline;

    public StorageRetry(RetrySettings settings, TimeProvider time, ILogger logger)
    {
        var budget = new RetryBudget(settings.Budget, time);
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(
                new RetryStrategyOptions
                {
                    BackoffType = DelayBackoffType.Exponential,
                    UseJitter = true,
                    Delay = FirstDelay,
                    MaxDelay = LongestDelay,
                    MaxRetryAttempts = int.MaxValue,
                    ShouldHandle = args =>
                        ValueTask.FromResult(
                            args.Outcome.Exception is StorageException { Failure: StorageFailure.Transient } && budget.IsLeft(args.Context)
                        ),
                    OnRetry = args =>
                    {
                        logger.StorageRetry(
                            args.Context.OperationKey ?? "",
                            args.AttemptNumber + 1,
                            (long)args.RetryDelay.TotalMilliseconds,
                            args.Outcome.Exception?.Message ?? ""
                        );
                        return default;
                    },
                }
            )
            .Build();
    }

    /// <param name="operation">Its name in the log.</param>
    /// <param name="action">Done again from its beginning.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="clock">Of the operation that this is a part of; null when it is one by itself.</param>
    /// <exception cref="StorageException">The last failure, or one that trying again would not mend.</exception>
    public async Task<T> RunAsync<T>(
        string operation,
        Func<CancellationToken, Task<T>> action,
        CancellationToken cancellationToken,
        RetryClock? clock = null
    )
    {
        var context = ResilienceContextPool.Shared.Get(operation, cancellationToken);
        RetryBudget.GoOn(context, clock ?? new());
        try
        {
            return await _pipeline.ExecuteAsync(static async (c, run) => await run(c.CancellationToken), context, action);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }
}
