using System.Collections.Concurrent;
using Archiver.Core.Settings;

namespace Archiver.Worker.Jobs;

/// <summary>Which sources the worker still waits for; all of them at first.</summary>
internal sealed class Readiness(ArchiverSettings settings)
{
    private readonly ConcurrentDictionary<string, bool> _ready = new(
        settings.Sources.ToDictionary(s => s.Name, _ => false),
        StringComparer.Ordinal
    );

    /// <summary>Names of the sources that are not ready.</summary>
    public IReadOnlyList<string> WaitingFor => [.. _ready.Where(r => !r.Value).Select(r => r.Key).Order(StringComparer.Ordinal)];

    public void Set(string source, bool ready) => _ready[source] = ready;
}
