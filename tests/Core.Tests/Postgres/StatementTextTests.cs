using System.Text.RegularExpressions;
using Archiver.Testing;

namespace Archiver.Core.Tests.Postgres;

/// <summary>What holds for the text of every statement.</summary>
public sealed partial class StatementTextTests
{
    /// <summary>
    /// Under <c>standard_conforming_strings = off</c> the server takes it for an escape, and not every statement says before what it is.
    /// </summary>
    [Fact]
    public void No_backslash_stands_outside_a_literal_that_says_what_it_means()
    {
        var files = Directory.GetFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories);
        var statements = files.SelectMany(f => RawText().Matches(File.ReadAllText(f)).Select(m => (File: f, Text: m.Value))).ToList();

        Assert.True(statements.Count > 100, $"{statements.Count} statements found.");
        Assert.Empty(
            statements
                .Where(s => EscapedLiteral().Replace(s.Text, "").Contains('\\', StringComparison.Ordinal))
                .Select(s => $"{Path.GetRelativePath(Repository.Root, s.File)}: {s.Text}")
        );
    }

    // Statements are raw texts; in these a backslash is one.
    [GeneratedRegex("\"\"\".*?\"\"\"", RegexOptions.Singleline)]
    private static partial Regex RawText();

    [GeneratedRegex(@"E'([^'\\]|\\.|'')*'", RegexOptions.Singleline)]
    private static partial Regex EscapedLiteral();
}
