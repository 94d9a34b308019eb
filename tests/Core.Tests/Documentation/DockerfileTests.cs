using System.Text.RegularExpressions;
using Archiver.Testing;

namespace Archiver.Core.Tests.Documentation;

/// <summary>
/// The image is built from a part of the repository: what a project embeds must be in that part, or only <c>docker build</c> finds out.
/// </summary>
public sealed partial class DockerfileTests
{
    [Fact]
    public void Every_file_that_the_projects_embed_is_copied_into_the_image_build()
    {
        var copied = Copy().Matches(File.ReadAllText(Repository.File("Dockerfile"))).Select(m => m.Groups[1].Value).ToList();
        var sent = File.ReadAllLines(Repository.File(".dockerignore")).Where(l => l.StartsWith('!')).Select(l => l[1..]).ToList();

        var embedded = new[] { "src/Core/Core.csproj", "src/Worker/Worker.csproj" }
            .SelectMany(p => Embedded().Matches(File.ReadAllText(Repository.File(p))))
            .Select(m => m.Groups[1].Value)
            .ToList();

        Assert.True(embedded.Count >= 2, "The pattern finds nothing: the test could not fail.");
        Assert.All(embedded, folder => Assert.Contains(folder, copied));
        Assert.All(embedded, folder => Assert.Contains(folder, sent));
    }

    [GeneratedRegex(@"^COPY (\S+) ", RegexOptions.Multiline)]
    private static partial Regex Copy();

    [GeneratedRegex("Include=\"\\.\\./\\.\\./([^\"]+)/[^\"/]+\"")]
    private static partial Regex Embedded();
}
