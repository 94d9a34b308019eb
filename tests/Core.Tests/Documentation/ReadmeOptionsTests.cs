using System.Text.RegularExpressions;
using Archiver.Core.Configuration;
using Archiver.Testing;

namespace Archiver.Core.Tests.Documentation;

/// <summary>The README's tables of options: a heading names the section, the first cell of each row a key in it.</summary>
public sealed partial class ReadmeOptionsTests
{
    [Fact]
    public void Every_option_stands_in_the_readme_once_and_nothing_else_does()
    {
        var written = Written().ToList();

        Assert.NotEmpty(written);
        Assert.Equal(ArchiverConfiguration.KnownKeys.Order(StringComparer.Ordinal), written.Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> Written()
    {
        string? section = null;
        foreach (var line in File.ReadLines(Repository.File("README.md")).SkipWhile(l => l != "## Options").Skip(1).TakeWhile(l => !l.StartsWith("## ", StringComparison.Ordinal)))
        {
            if (Heading().Match(line) is { Success: true } heading)
                section = heading.Groups[1].Value;
            else if (Row().Match(line) is { Success: true } row)
                yield return $"{section}:{row.Groups[1].Value}";
        }
    }

    [GeneratedRegex("^### `([^`]+)`$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"^\| `([^`]+)` \|")]
    private static partial Regex Row();
}
