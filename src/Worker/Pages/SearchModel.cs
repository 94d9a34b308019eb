using Archiver.Core.Ledger;

namespace Archiver.Worker.Pages;

/// <summary>What the page of archives shows.</summary>
/// <param name="Filter">What was asked for.</param>
/// <param name="Sources">Names of all sources.</param>
/// <param name="Policies">Names of all policies that archive.</param>
/// <param name="Found">Archives that match, newest first.</param>
/// <param name="Older">For each source that has more, the link to those.</param>
/// <param name="Live">Names of the sources whose tables hold a session with the id that was asked for.</param>
internal sealed record SearchModel(
    SearchFilter Filter,
    IReadOnlyList<string> Sources,
    IReadOnlyList<string> Policies,
    IReadOnlyList<(string Source, ListedArchive Archive)> Found,
    IReadOnlyList<(string Source, string Url)> Older,
    IReadOnlyList<string> Live
);

/// <summary>What a person asks for; null means any.</summary>
internal sealed record SearchFilter(string? Query, string? Source, string? Policy, string? State, string? From, string? To)
{
    public bool IsEmpty => this is { Query: null, Source: null, Policy: null, State: null, From: null, To: null };

    /// <summary>The link to the same, below a row of one source's ledger.</summary>
    public string Url(string source, long after)
    {
        (string Name, string? Value)[] all =
        [
            ("q", Query),
            ("source", source),
            ("policy", Policy),
            ("state", State),
            ("from", From),
            ("to", To),
            ("after", after.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        ];
        return $"/search?{string.Join('&', all.Where(p => p.Value is not null).Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value!)}"))}";
    }
}
