namespace Archiver.Worker.Http;

/// <summary>
/// Breaks off what only reads, soon after the worker was asked to stop: the server waits for every answer that is on its way, and a client
/// that reads slowly, or not at all, would hold up the end. What changes something goes on. It is short, or hears of the end itself, and
/// its answer says what became of it.
/// </summary>
internal sealed class LastRequests(RequestDelegate next, IHostApplicationLifetime lifetime, TimeProvider time)
{
    /// <summary>Enough for a client that takes its answer.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    public async Task InvokeAsync(HttpContext context)
    {
        if (!Reads(context))
        {
            await next(context);
            return;
        }
        using var late = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        await using var stopping = lifetime.ApplicationStopping.Register(() => late.CancelAfter(Grace));
        await using var end = late.Token.Register(context.Abort);
        await next(context);
    }

    private static bool Reads(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method)
        || HttpMethods.IsHead(context.Request.Method)
        || context.GetEndpoint()?.Metadata.GetMetadata<OnlyReads>() is not null;
}
