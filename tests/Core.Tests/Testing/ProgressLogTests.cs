using Archiver.Testing;
using Archiver.Testing.Progress;
using Microsoft.Testing.Platform.Extensions.Messages;
using Microsoft.Testing.Platform.TestHost;

namespace Archiver.Core.Tests.Testing;

public sealed class ProgressLogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("archiver-progress-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Counts_what_ended_and_names_the_classes_that_run_and_the_slowest()
    {
        using (var log = new ProgressLog(_folder))
        {
            await ReportAsync(log, "1", "QuickTests", PassedTestNodeStateProperty.CachedInstance, seconds: 0.25);
            await ReportAsync(log, "2", "SlowTests", new FailedTestNodeStateProperty("it broke"), seconds: 30);
            await ReportAsync(log, "3", "SlowTests", new SkippedTestNodeStateProperty("no server"), seconds: 0);
            await ReportAsync(log, "4", "LongTests", InProgressTestNodeStateProperty.CachedInstance, seconds: 0);
        }

        Assert.Equal("1 passed, 1 failed, 1 skipped; now LongTests\n", await SumUpAsync());
        Assert.Equal("    30.0 s    2 tests  SlowTests\n", await SumUpAsync("-v", "slowest=1"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task ReportAsync(ProgressLog log, string id, string type, TestNodeStateProperty state, double seconds)
    {
        // As the platform reports each test: once as it begins, once as it ends.
        TestNodeStateProperty[] states =
            state is InProgressTestNodeStateProperty ? [state] : [InProgressTestNodeStateProperty.CachedInstance, state];
        foreach (var one in states)
        {
            var timing = new TimingProperty(new TimingInfo(default, default, TimeSpan.FromSeconds(seconds)));
            var method = new TestMethodIdentifierProperty("Tests", "Archiver", type, "Works", 0, [], "System.Void");
            var node = new TestNode
            {
                Uid = new TestNodeUid(id),
                DisplayName = id,
                Properties = new PropertyBag(one, timing, method),
            };
            await log.ConsumeAsync(null!, new TestNodeUpdateMessage(new SessionUid("run"), node), Token);
        }
    }

    private async Task<string> SumUpAsync(params string[] options)
    {
        var script = Repository.File("tests", "Testing", "Progress", "progress.awk");
        await using var awk = ChildProcess.Start("awk", ["-f", script, .. options, .. Directory.GetFiles(_folder)]);
        var result = await awk.WaitForExitAsync(Token);
        Assert.Equal("", result.Error);
        return result.Output;
    }
}
