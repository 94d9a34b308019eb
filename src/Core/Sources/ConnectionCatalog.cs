using Archiver.Core.Settings;

namespace Archiver.Core.Sources;

/// <summary>The connections of every configured source, made once a process.</summary>
internal sealed class ConnectionCatalog : IAsyncDisposable
{
    private readonly Dictionary<string, SourceConnections> _connections;

    public ConnectionCatalog(ArchiverSettings settings, TimeProvider? time = null) =>
        _connections = settings.Sources.ToDictionary(s => s.Name, s => new SourceConnections(s, time), StringComparer.Ordinal);

    /// <summary>The connections of a configured source.</summary>
    public SourceConnections this[string source] => _connections[source];

    public async ValueTask DisposeAsync()
    {
        foreach (var connections in _connections.Values)
            await connections.DisposeAsync();
    }
}
