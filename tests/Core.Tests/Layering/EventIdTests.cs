using System.Text.RegularExpressions;
using Archiver.Testing;

namespace Archiver.Core.Tests.Layering;

/// <summary>Whoever alerts on an event id alerts on one event.</summary>
public sealed partial class EventIdTests
{
    [Fact]
    public void No_two_events_of_the_executable_have_the_same_id()
    {
        var ids = Directory
            .GetFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .SelectMany(f => Id().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value))
            .ToList();

        Assert.True(ids.Count > 20);
        Assert.Equal(ids.Distinct().Order(), ids.Order());
    }

    [GeneratedRegex(@"EventId = (\d+)")]
    private static partial Regex Id();
}
