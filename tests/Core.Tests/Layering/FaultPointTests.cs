using System.Text.RegularExpressions;
using Archiver.Core.Diagnostics;
using Archiver.Testing;

namespace Archiver.Core.Tests.Layering;

/// <summary>Fault points are for tests alone, and each one that is listed stands somewhere.</summary>
public sealed partial class FaultPointTests
{
    private static readonly string[] Sources =
    [
        .. Directory
            .GetFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)),
    ];

    [Fact]
    public void Each_listed_point_stands_in_the_code_once_and_no_other_does()
    {
        var listed = typeof(FaultPoints).GetFields().Where(f => f.IsLiteral).Select(f => f.Name).Order().ToList();
        var reached = Sources.SelectMany(f => Reach().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value)).Order().ToList();

        Assert.True(listed.Count > 20);
        Assert.Equal(listed, reached);
        Assert.Equal(listed.Count, ProcessFault.Points.Distinct().Count());
    }

    [Fact]
    public void Nothing_in_the_product_switches_them_on()
    {
        Assert.Null(FaultPoint.Reached);
        Assert.DoesNotContain(Sources, f => Switch().IsMatch(File.ReadAllText(f)));
        Assert.Matches(Switch(), "FaultPoint.Reached = name => { };");
    }

    [GeneratedRegex(@"FaultPoint\.Reach\(FaultPoints\.(\w+)\)")]
    private static partial Regex Reach();

    [GeneratedRegex(@"\bReached\s*=(?!>)")]
    private static partial Regex Switch();
}
