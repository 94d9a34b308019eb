using System.Reflection;
using System.Text.RegularExpressions;
using Archiver.Core.Deletion;
using Archiver.Core.Export;
using Archiver.Core.Pipelines;
using Archiver.Core.Selection;
using Archiver.Core.Upload;
using Archiver.Core.Verification;
using Archiver.Testing;

namespace Archiver.Core.Tests.Layering;

/// <summary>The shape that makes skipping a stage impossible.</summary>
public sealed partial class StructureTests
{
    public static TheoryData<Type> ProofTypes =>
        [typeof(SelectedBatch), typeof(ExportedBatch), typeof(UploadedBatch), typeof(VerifiedBatch), typeof(DeletedBatch)];

    [Theory]
    [MemberData(nameof(ProofTypes))]
    public void Makes_a_batch_only_in_its_own_stage(Type proof)
    {
        Assert.True(proof.IsSealed);
        Assert.All(proof.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic), c =>
            Assert.True(c.IsPrivate)
        );
        Assert.All(proof.GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic), p =>
            Assert.Null(p.SetMethod)
        );
    }

    [Fact]
    public void Verifies_before_it_deletes()
    {
        var verified = typeof(BatchDeleter).GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly);
        Assert.Equal(
            [typeof(VerifiedBatch), typeof(CancellationToken)],
            Assert.Single(verified).GetParameters().Select(p => p.ParameterType)
        );
        var makers = typeof(VerifiedBatch)
            .GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(m => !m.Name.Contains('<', StringComparison.Ordinal));
        Assert.Equal(
            [nameof(VerifiedBatch.ReverifyAsync), nameof(VerifiedBatch.VerifyAsync)],
            makers.Where(m => m.ReturnType == typeof(Task<VerifiedBatch>)).Select(m => m.Name).Order()
        );
    }

    [Fact]
    public void Deletes_without_a_copy_only_in_named_classes_of_the_lifecycle()
    {
        var root = Path.Combine(Repository.Root, "src", "Core");
        var callers = Directory
            .GetFiles(root, "*.cs", SearchOption.AllDirectories)
            .Where(f => File.ReadAllText(f).Contains($".{nameof(RowTarget.WithoutCopy)}(", StringComparison.Ordinal))
            .Select(f => Path.GetRelativePath(root, f).Replace('\\', '/'));
        Assert.Equal(["Erasure/EraseRows.cs", "Purge/Purger.cs"], callers.Order());
        Assert.All(typeof(RowTarget).GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic), c =>
            Assert.True(c.IsPrivate)
        );
    }

    [Fact]
    public void Restores_with_the_reading_side_of_the_store_only()
    {
        var files = Directory
            .GetFiles(Path.Combine(Repository.Root, "src", "Core", "Restore"), "*.cs")
            .Concat(Directory.GetFiles(Path.Combine(Repository.Root, "src", "Core", "Reading"), "*.cs"))
            .ToList();
        var texts = files.Select(File.ReadAllText).ToList();
        Assert.All(texts, t => Assert.DoesNotContain("IArchiveStore", t, StringComparison.Ordinal));
        Assert.Contains(texts, t => t.Contains("IArchiveReader", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Quartz")]
    [InlineData("Serilog")]
    [InlineData("Spectre.Console")]
    [InlineData("System.CommandLine")]
    [InlineData("Microsoft.AspNetCore")]
    public void Knows_nothing_of_the_host(string assembly) =>
        Assert.DoesNotContain(typeof(PolicyRunner).Assembly.GetReferencedAssemblies(), a =>
            a.Name!.StartsWith(assembly, StringComparison.Ordinal)
        );

    [Theory]
    [InlineData("src", 400)]
    [InlineData("bench", 20)]
    [InlineData("tests", 300)]
    public void No_file_takes_longer_to_read_than_200_lines(string folder, int least)
    {
        var files = Sources(folder)
            .Select(f => (Path: Path.GetRelativePath(Repository.Root, f), Lines: File.ReadLines(f).Count()))
            .ToList();
        Assert.True(files.Count > least, "There are few files: the test could not fail.");
        Assert.DoesNotContain(files, f => f.Lines > 200);
    }

    // A record is its values; a class that needs more than six others lacks one that brings them together.
    [Fact]
    public void No_class_needs_more_than_six_others()
    {
        var makers = Sources("src").Select(File.ReadAllText).SelectMany(Constructors).ToList();
        Assert.True(makers.Count > 200, "There are few constructors: the test could not fail.");
        Assert.DoesNotContain(makers, m => m.Parameters > 6);
        Assert.Equal(
            [("A", 1), ("B", 2), ("A", 3)],
            Constructors("class A(int a)\nclass B<T>(F<T, T> a, (int, T) b)\npublic A(T a, G[] b, T c)")
        );
    }

    private static IEnumerable<(string Name, int Parameters)> Constructors(string text)
    {
        var classes = Classes().Matches(text).Select(m => m.Groups["name"].Value).ToHashSet(StringComparer.Ordinal);
        return Classes()
            .Matches(text)
            .Concat(Methods().Matches(text).Where(m => classes.Contains(m.Groups["name"].Value)))
            .Where(m => text[m.Index + m.Length - 1] == '(')
            .Select(m => (m.Groups["name"].Value, CountParameters(text.AsSpan(m.Index + m.Length))));
    }

    private static int CountParameters(ReadOnlySpan<char> text)
    {
        var (depth, commas, any) = (0, 0, false);
        foreach (var c in text)
        {
            if (c == ')' && depth == 0)
                break;
            depth +=
                c is '(' or '[' or '<' ? 1
                : c is ')' or ']' or '>' ? -1
                : 0;
            commas += c == ',' && depth == 0 ? 1 : 0;
            any |= !char.IsWhiteSpace(c);
        }
        return any ? commas + 1 : 0;
    }

    [GeneratedRegex(@"\bclass (?<name>\w+)(<[^>]*>)?\(?", RegexOptions.ExplicitCapture)]
    private static partial Regex Classes();

    [GeneratedRegex(@"\b(public|internal|private) (?<name>\w+)\(", RegexOptions.ExplicitCapture)]
    private static partial Regex Methods();

    // In tests, texts of one line that are longer, such as a document, are data.
    [Theory]
    [InlineData("src", 400, 0)]
    [InlineData("bench", 20, 0)]
    [InlineData("tests", 300, 40)]
    public void Has_no_line_of_more_than_140_columns(string folder, int files, int data)
    {
        var sources = Sources(folder);
        Assert.True(sources.Count > files, "There are few files: the test could not fail.");
        Assert.InRange(sources.SelectMany(File.ReadLines).Count(line => line.Length > 140), 0, data);
    }

    [Fact]
    public void Has_a_namespace_for_each_folder()
    {
        var root = Path.Combine(Repository.Root, "src", "Core");
        var files = Directory
            .GetFiles(root, "*.cs", SearchOption.AllDirectories)
            .Where(f => !Path.GetRelativePath(root, f).StartsWith("obj", StringComparison.Ordinal))
            .ToList();
        Assert.True(files.Count > 50);
        Assert.All(files, file =>
        {
            var folder = Path.GetRelativePath(root, Path.GetDirectoryName(file)!);
            var expected = folder == "." ? "Archiver.Core" : $"Archiver.Core.{folder.Replace(Path.DirectorySeparatorChar, '.')}";
            Assert.Contains($"namespace {expected};", File.ReadAllText(file), StringComparison.Ordinal);
        });
    }

    private static List<string> Sources(string folder) =>
        [
            .. Directory
                .GetFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories)
                .Where(f =>
                    !Path.GetRelativePath(Repository.Root, f).Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj")
                ),
        ];
}
