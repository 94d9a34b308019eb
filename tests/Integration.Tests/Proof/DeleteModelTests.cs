using Archiver.Testing;

namespace Archiver.Integration.Tests.Proof;

/// <summary>The delete protocol as a model (docs/model): its invariant holds, and fails as soon as one of its rules is taken out.</summary>
public sealed class DeleteModelTests
{
    [Fact]
    public async Task Holds_with_all_rules_and_fails_without_any_one_of_them()
    {
        if (!File.Exists("/usr/bin/spin") && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI")))
            Assert.Skip("spin is not there: apt-get install spin gcc libc6-dev");
        await using var check = ChildProcess.Start(Repository.File("docs", "model", "check.sh"), []);

        var result = await check.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        Assert.Equal((2, 5), (Count("the invariant holds"), Count("the invariant fails")));

        int Count(string text) => result.Output.Split(text).Length - 1;
    }
}
