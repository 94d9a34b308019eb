using Archiver.Testing;

namespace Archiver.Core.Tests.Testing;

/// <summary>tests/mutants.txt, which is tried as a whole by hand only, keeps up with the code.</summary>
public sealed class MutantListTests
{
    [Fact]
    public async Task Each_fault_changes_the_file_that_it_names_and_names_tests_that_there_are()
    {
        await using var check = ChildProcess.Start("bash", [Repository.File("tests", "mutants.sh"), "--check"]);

        var result = await check.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        Assert.EndsWith(" 0 stale", result.Output.TrimEnd(), StringComparison.Ordinal);
    }
}
