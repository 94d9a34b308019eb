namespace Archiver.Worker.Http;

/// <summary>Marks a route that needs no key.</summary>
internal sealed class OpenToAll;
