namespace Archiver.Worker.Http;

/// <summary>Marks a route that changes nothing although it is posted to.</summary>
internal sealed class OnlyReads;
