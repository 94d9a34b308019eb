namespace Archiver.Worker.Http;

/// <summary>What every refused or failed request of a program gets.</summary>
/// <param name="Error">One sentence for a person.</param>
internal sealed record ErrorBody(string Error);
