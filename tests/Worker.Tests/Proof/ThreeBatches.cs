using Archiver.Testing;
using Archiver.Testing.Proof;

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

    /// <summary>Kills an archive run at each of its steps; each process starts from what the crash before it left.</summary>
    private protected static async Task KillArchiveAtEveryStepAsync(Installation archiver, Oracle oracle)
    {
        foreach (var point in Of("archive", "run"))
        {
            await archiver.KillAtAsync(
                point,
                point.EndsWith("object-stored", StringComparison.Ordinal) ? 2 : 1,
                Token,
                "archive",
                "--max-sessions",
                "6"
            );
            Assert.Empty(await oracle.ViolationsAsync(atRest: false, Token));
        }
        await archiver.ToRestAsync(Token, "archive");
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    /// <summary>The same of a restore.</summary>
    private protected static async Task KillRestoreAtEveryStepAsync(Installation archiver, Oracle oracle, params string[] restore)
    {
        foreach (var point in Of("restore"))
        {
            await archiver.KillAtAsync(point, 1, Token, restore);
            Assert.Empty(await oracle.ViolationsAsync(atRest: false, Token));
        }
        await archiver.ToRestAsync(Token, restore);
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    private protected async Task<Installation> BatchesOfThreeAsync(int idle) =>
        (await Installation.CreateAsync(Servers, Token, idle, young: 3)).Patient().With("Batch:Sessions", "3");
}
