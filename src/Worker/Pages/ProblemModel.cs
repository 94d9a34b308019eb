namespace Archiver.Worker.Pages;

/// <summary>Something did not work.</summary>
/// <param name="Title">In a few words.</param>
/// <param name="Lines">What, and why.</param>
internal sealed record ProblemModel(string Title, IReadOnlyList<string> Lines);
