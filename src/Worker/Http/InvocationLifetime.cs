namespace Archiver.Worker.Http;

/// <summary>
/// The host lives as long as its invocation's token says. The framework's own lifetime would listen to the process's signals.
/// </summary>
internal sealed class InvocationLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
