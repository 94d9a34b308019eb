using System.Text.RegularExpressions;
using Archiver.Testing;

namespace Archiver.Core.Tests.Documentation;

/// <summary>A row of the tables of options in docs/configuration.md: a heading names the section, the first cell the key in it.</summary>
/// <param name="Path">Such as <c>Archiver:Sources:{name}:Preset</c>.</param>
/// <param name="Default">The second cell.</param>
/// <param name="Meaning">The third cell, as plain text.</param>
internal sealed partial record DocumentedOptions(string Path, string Default, string Meaning)
{
    public static IEnumerable<DocumentedOptions> All()
    {
        string? section = null;
        foreach (
            var line in File.ReadLines(Repository.File("docs/configuration.md"))
                .SkipWhile(l => l != "## Options")
                .Skip(1)
                .TakeWhile(l => !l.StartsWith("## ", StringComparison.Ordinal))
        )
        {
            if (Heading().Match(line) is { Success: true } heading)
                section = heading.Groups[1].Value;
            else if (Row().Match(line) is { Success: true } row)
                yield return new($"{section}:{row.Groups[1].Value}", Plain(row.Groups[2].Value), Plain(row.Groups[3].Value));
        }
    }

    private static string Plain(string markdown) => Link().Replace(markdown, "$1").Replace("`", "", StringComparison.Ordinal);

    [GeneratedRegex("^### `([^`]+)`$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"^\| `([^`]+)` \| (.*?) \| (.*) \|$")]
    private static partial Regex Row();

    [GeneratedRegex(@"\[([^\]]+)\]\([^)]+\)")]
    private static partial Regex Link();
}
