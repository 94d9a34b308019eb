using Archiver.Testing;

namespace Archiver.Worker.Tests;

public sealed class ArchiverProcessTests
{
    [Fact]
    public async Task Runs_the_built_executable_to_its_exit_code()
    {
        var result = await ArchiverProcess.RunAsync(["--help"], environment: null, TestContext.Current.CancellationToken);

        Assert.True(result.ExitCode == 0, $"exit code {result.ExitCode}: {result.Error}");
    }
}
