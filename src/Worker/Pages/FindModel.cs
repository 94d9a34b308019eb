using Archiver.Core.Query;

namespace Archiver.Worker.Pages;

/// <summary>The page that looks for a text in archived messages.</summary>
/// <param name="Filter">What was asked for.</param>
/// <param name="Sources">Names of all sources.</param>
/// <param name="Policies">Names of all policies that archive.</param>
/// <param name="Answer">What was found; null before anything is asked, or when it is too much to read here.</param>
/// <param name="Problem">Why nothing was read; null otherwise.</param>
internal sealed record FindModel(
    FindFilter Filter,
    IReadOnlyList<string> Sources,
    IReadOnlyList<string> Policies,
    FindAnswer? Answer,
    string? Problem
);

/// <summary>What a person looks for; null means any.</summary>
internal sealed record FindFilter(string? Text, string? Source, string? Policy, string? User, string? Session, string? From, string? To);

/// <summary>What was found.</summary>
/// <param name="Newest">The newest lines that have the text.</param>
/// <param name="Count">How many have it.</param>
/// <param name="Archives">How many archives were read.</param>
internal sealed record FindAnswer(IReadOnlyList<TextHit> Newest, long Count, long Archives);
