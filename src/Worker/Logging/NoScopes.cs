namespace Archiver.Worker.Logging;

/// <summary>
/// Keeps what libraries say of their surroundings out of the log: the server's scope of a request has its path, and thereby the id of a
/// session. What our own messages say is in their templates.
/// </summary>
internal sealed class NoScopes : IExternalScopeProvider, IDisposable
{
    public void ForEachScope<TState>(Action<object?, TState> callback, TState state) { }

    public IDisposable Push(object? state) => this;

    /// <summary>The end of a scope that was never there.</summary>
    public void Dispose() { }
}
