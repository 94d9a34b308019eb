using Archiver.Testing;

namespace Archiver.Worker.Tests.Proof;

/// <summary>An installation whose runs have several small batches.</summary>
public abstract class ThreeBatches(TestServers servers)
{
    private protected TestServers Servers { get; } = servers;

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected static List<string> Of(params string[] scenarios)
    {
        var points = ProcessFault.Points.Where(p => scenarios.Contains(p.Split('.')[0])).ToList();
        Assert.All(scenarios, s => Assert.Contains(points, p => p.StartsWith($"{s}.", StringComparison.Ordinal)));
        return points;
    }

    private protected async Task<Installation> BatchesOfThreeAsync(int idle) =>
        (await Installation.CreateAsync(Servers, Token, idle, young: 3)).Patient().With("Batch:Sessions", "3");
}
