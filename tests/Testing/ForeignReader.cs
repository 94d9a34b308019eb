using Xunit;

namespace Archiver.Testing;

/// <summary>
/// Programs of others that read archives, from <c>tests/Testing/readers</c>. Where one is missing its test is skipped at home and fails in
/// CI.
/// </summary>
public static class ForeignReader
{
    /// <summary>Runs a program to its end and returns what it wrote.</summary>
    /// <param name="program">Its name on the PATH.</param>
    /// <param name="install">What a person does who does not have it.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<string> RunAsync(
        string program,
        string install,
        IReadOnlyList<string> arguments,
        CancellationToken cancellationToken
    )
    {
        Require(
            Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, program))),
            program,
            install
        );
        await using var process = ChildProcess.Start(program, arguments);
        var result = await process.WaitForExitAsync(cancellationToken);
        Assert.True(result.ExitCode == 0, $"{program} ended with {result.ExitCode}: {result.Error}");
        return result.Output;
    }

    /// <summary>Path of a script of <c>tests/Testing/readers</c>.</summary>
    public static string Script(string name) => Repository.File("tests", "Testing", "readers", name);

    /// <summary>Requires the npm packages that the scripts use.</summary>
    public static void RequirePackage(string name) =>
        Require(
            Directory.Exists(Path.Combine(Repository.Root, "tests", "Testing", "readers", "node_modules", name)),
            name,
            "npm ci --prefix tests/Testing/readers (test.sh does it)"
        );

    private static void Require(bool present, string what, string install)
    {
        if (present)
            return;
        Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") is { Length: > 0 }, $"{what} is not installed: {install}");
        Assert.Fail($"{what} is not installed: {install}");
    }
}
