using System.Text.RegularExpressions;
using Archiver.Testing;

namespace Archiver.Worker.Tests.Http;

/// <summary>docs/metrics.md names every metric that there is, and no other.</summary>
public sealed partial class MetricsPageTests(HttpFixture fixture) : IClassFixture<HttpFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static HashSet<string> Documented =>
        [.. MetricName().Matches(File.ReadAllText(Repository.File("docs", "metrics.md"))).Select(m => m.Value)];

    [Fact]
    public void Every_instrument_of_the_code_has_its_line_and_no_line_is_of_none()
    {
        var instruments = Directory
            .EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(f => f.Contains("Metrics", StringComparison.Ordinal) || Path.GetFileName(f) is "BatchMeter.cs" or "Refusals.cs")
            .SelectMany(f => Instrument().Matches(File.ReadAllText(f)))
            .Select(m => m.Groups[1].Value.Replace('.', '_'))
            .ToHashSet();

        Assert.True(instruments.Count > 40, "The pattern finds no instruments: the test could not fail.");
        Assert.All(instruments, i => Assert.Contains(Documented, d => IsNameOf(d, i)));
        Assert.All(Documented, d => Assert.Contains(instruments, i => IsNameOf(d, i)));
    }

    [Fact]
    public async Task What_a_worker_gives_is_named_as_it_gives_it()
    {
        using var answer = await fixture.Worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, "/metrics"), Token);
        var given = TypeLine().Matches(await answer.Content.ReadAsStringAsync(Token)).Select(m => m.Groups[1].Value).ToHashSet();

        Assert.True(given.Count > 20, "The pattern finds no metrics: the test could not fail.");
        Assert.Subset(Documented, given);
    }

    private static bool IsNameOf(string documented, string instrument) =>
        Regex.IsMatch(documented, $"^{instrument}(_seconds|_bytes)?(_total)?$");

    [GeneratedRegex(@"(?:archiver|process)_[a-z_]+(?=`)")]
    private static partial Regex MetricName();

    [GeneratedRegex(@"""((?:archiver|process)\.[a-z_]+(?:\.[a-z_]+)*)""")]
    private static partial Regex Instrument();

    [GeneratedRegex(@"(?m)^# TYPE (\S+)")]
    private static partial Regex TypeLine();
}
