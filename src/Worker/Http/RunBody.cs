namespace Archiver.Worker.Http;

/// <summary>What <c>POST /runs</c> says.</summary>
/// <param name="Policy">Such as <c>main/idle</c>; the source may be left out where the name is used once.</param>
internal sealed record RunBody(string? Policy);
