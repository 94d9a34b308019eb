using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;

namespace Archiver.Worker.Access;

/// <summary>
/// Turns <c>--source</c> and <c>--policy</c>, in any case, into what is configured; a name that is not gets a message with those that are.
/// </summary>
internal sealed class PolicyChoice(ArchiverSettings settings)
{
    /// <summary>The source of that name, or all of them.</summary>
    /// <exception cref="ArchiverException">No source has the name; kind Configuration.</exception>
    public IReadOnlyList<SourceSettings> Sources(string? name) =>
        name is null ? settings.Sources : [settings.Sources.FirstOrDefault(s => Names.Same(s.Name, name)) ?? throw UnknownSource(name)];

    /// <summary>The one source that is meant; with several configured it must be named.</summary>
    /// <exception cref="ArchiverException">It is not named, or not there; kind Configuration.</exception>
    public SourceSettings OneSource(string? name) =>
        Sources(name) is [var only]
            ? only
            : throw new ArchiverException(
                FailureKind.Configuration,
                $"Several sources are configured; choose one with --source: {List(settings.Sources.Select(s => s.Name))}."
            );

    /// <summary>Policies in the order in which they run, source by source.</summary>
    /// <param name="source">Name of the source, or null for all.</param>
    /// <param name="policy">Name of the policy or <c>source/policy</c>, or null for all.</param>
    /// <exception cref="ArchiverException">A name is not there; kind Configuration.</exception>
    public IReadOnlyList<(SourceSettings Source, Policy Policy)> Policies(string? source, string? policy)
    {
        var all = Sources(source).SelectMany(s => s.Policies.Select(p => (Source: s, Policy: p))).ToList();
        if (policy is null)
            return all;
        var found = all.Where(c => Names.Same(c.Policy.Name, policy) || Names.Same(c.Policy.FullName, policy)).ToList();
        return found.Count > 0 ? found : throw Unknown("policy", policy, all.Select(c => c.Policy.FullName));
    }

    /// <summary>A sentence about what a single word, where <c>source/policy</c> is needed, may have meant.</summary>
    public string FullNamesFor(string word)
    {
        var all = settings.Sources.SelectMany(s => s.Policies).ToList();
        var meant = all.Where(p => Names.Same(p.Name, word) || Names.Same(p.Source, word)).Select(p => p.FullName).ToList();
        return meant.Count > 0 ? $"Did you mean {string.Join(" or ", meant)}?" : $"Configured: {List(all.Select(p => p.FullName))}.";
    }

    // Where a source is wanted, a policy's name alone is what people try first.
    private ArchiverException UnknownSource(string name) =>
        settings.Sources.SelectMany(s => s.Policies).Any(p => Names.Same(p.Name, name))
            ? new(FailureKind.Configuration, $"There is no source '{name}', but a policy of that name. {FullNamesFor(name)}")
            : Unknown("source", name, settings.Sources.Select(s => s.Name));

    private static ArchiverException Unknown(string what, string name, IEnumerable<string> known) =>
        new(FailureKind.Configuration, $"There is no {what} '{name}'. Configured: {List(known)}.");

    private static string List(IEnumerable<string> names) => string.Join(", ", names.DefaultIfEmpty("none"));
}
