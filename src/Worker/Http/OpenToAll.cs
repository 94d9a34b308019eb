namespace Archiver.Worker.Http;

/// <summary>Marks a route that needs no key.</summary>
internal sealed class OpenToAll;

/// <summary>Marks a route that the key for metrics opens, too.</summary>
internal sealed class OpenToMetricsKey;
