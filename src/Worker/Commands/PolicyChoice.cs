using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Archiver.Core.Policies;
using Archiver.Core.Sources;

namespace Archiver.Worker.Commands;

/// <summary>Turns <c>--source</c> and <c>--policy</c>, in any case, into what is configured; a name that is not gets a message with those that are.</summary>
internal sealed class PolicyChoice(ArchiverSettings settings)
{
    /// <summary>The source of that name, or all of them.</summary>
    /// <exception cref="ArchiverException">No source has the name; kind Configuration.</exception>
    public IReadOnlyList<SourceSettings> Sources(string? name) => name is null
        ? settings.Sources
        : [settings.Sources.FirstOrDefault(s => Names.Same(s.Name, name)) ?? throw Unknown("source", name, settings.Sources.Select(s => s.Name))];

    /// <summary>The one source that is meant; with several configured it must be named.</summary>
    /// <exception cref="ArchiverException">It is not named, or not there; kind Configuration.</exception>
    public SourceSettings OneSource(string? name) => Sources(name) is [var only]
        ? only
        : throw new ArchiverException(FailureKind.Configuration, $"Several sources are configured; choose one with --source: {List(settings.Sources.Select(s => s.Name))}.");

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

    private static ArchiverException Unknown(string what, string name, IEnumerable<string> known) =>
        new(FailureKind.Configuration, $"There is no {what} '{name}'. Configured: {List(known)}.");

    private static string List(IEnumerable<string> names) => string.Join(", ", names.DefaultIfEmpty("none"));
}
