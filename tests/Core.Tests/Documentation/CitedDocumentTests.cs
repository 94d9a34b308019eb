using System.Text.RegularExpressions;
using Archiver.Testing;

namespace Archiver.Core.Tests.Documentation;

/// <summary>A comment or page that cites a document which the repository does not hold sends its reader nowhere.</summary>
public sealed partial class CitedDocumentTests
{
    private static readonly string[] Folders = ["src", "tests", "bench", "docs", "sql", "deploy"];

    private static readonly string[] Kinds = [".cs", ".md", ".sql", ".sh", ".yml", ".yaml"];

    [Fact]
    public void Every_document_that_is_cited_is_in_the_repository()
    {
        var files = Folders
            .SelectMany(f => Directory.EnumerateFiles(Path.Combine(Repository.Root, f), "*", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(Repository.Root))
            .Select(f => Path.GetRelativePath(Repository.Root, f))
            .Where(f =>
                Kinds.Contains(Path.GetExtension(f)) && !f.Split('/').Any(part => part is "bin" or "obj" or "node_modules" or "artifacts")
            )
            .ToList();
        var present = files.Where(f => f.EndsWith(".md", StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);

        var cited = files
            .SelectMany(f => Citation().Matches(File.ReadAllText(Repository.File(f))).Select(m => (File: f, Document: m.Value)))
            .ToList();

        Assert.True(cited.Count > 50, "The pattern finds little: the test could not fail.");
        Assert.DoesNotContain(cited, c => !Holds(c.File, c.Document));

        // From the root, from the citing file's folder, or by its name alone.
        bool Holds(string file, string document) =>
            present.Any(p => p == document || p.EndsWith($"/{document}", StringComparison.Ordinal))
            || File.Exists(Path.Combine(Path.GetDirectoryName(Repository.File(file))!, document));
    }

    [Fact]
    public void The_readme_is_read_to_its_end() => Assert.InRange(File.ReadAllLines(Repository.File("README.md")).Length, 50, 149);

    [GeneratedRegex(@"(?<![\w./{*$-])(\.\./)*[A-Za-z][\w./-]*\.md\b")]
    private static partial Regex Citation();
}
