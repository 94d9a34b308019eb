using System.Runtime.Versioning;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// <c>tests/precompile.sh</c> keeps what it made for other clones. Were it to give an executable of other sources, all tests that start a
/// process would test what is not there any more.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class PrecompileTests : IDisposable
{
    private const string Compiler = """
        #!/bin/bash
        [ "$1" != --version ] || { echo 10.0.0; exit; }
        while [ "$1" != --output ]; do shift; done
        mkdir "$2"; cat src/Core/Code.cs >"$2/archiver"; echo compiled
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("archiver-precompile-").FullName;

    public PrecompileTests()
    {
        var compiler = Path.Combine(_folder, "bin", "dotnet");
        Write(compiler, Compiler);
        File.SetUnixFileMode(compiler, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Compiles_the_same_sources_once_for_all_clones()
    {
        var (first, second) = (Clone("first"), Clone("second"));

        Assert.Contains("compiled", await RunAsync(first), StringComparison.Ordinal);
        Assert.DoesNotContain("compiled", await RunAsync(second), StringComparison.Ordinal);

        Assert.Equal(Executable(first), Executable(second));
    }

    [Fact]
    public async Task Compiles_again_what_has_changed_in_any_source()
    {
        await RunAsync(Clone("first"));
        foreach (
            var source in (string[])["src/Core/Code.cs", "sql/ledger.sql", "Directory.Packages.props", "tests/Testing/ProcessFault.cs"]
        )
        {
            var other = Clone(Path.GetFileName(source));
            await File.AppendAllTextAsync(Path.Combine(other, source), "changed", Token);

            Assert.Contains("compiled", await RunAsync(other), StringComparison.Ordinal);

            Assert.Equal(await File.ReadAllTextAsync(Path.Combine(other, "src/Core/Code.cs"), Token), Executable(other));
        }
    }

    [Fact]
    public async Task Compiles_where_nothing_can_be_kept()
    {
        var clone = Clone("first");

        Assert.Contains("compiled", await RunAsync(clone, cache: "/proc/nowhere"), StringComparison.Ordinal);

        Assert.NotEmpty(Executable(clone));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Clone(string name)
    {
        var clone = Path.Combine(_folder, name);
        foreach (
            var file in (string[])
                [
                    "src/Core/Code.cs",
                    "src/Worker/Worker.csproj",
                    "src/Worker/Native.props",
                    "src/Worker/Runtime.props",
                    "src/Worker/packages.native.lock.json",
                    "src/Worker/bin/Debug/net10.0/archiver.dll",
                    "src/Worker/bin/Debug/net10.0/Archiver.Core.dll",
                    "sql/ledger.sql",
                    "Directory.Packages.props",
                    "global.json",
                    "tests/Testing/FaultInjection.targets",
                    "tests/Testing/ProcessFault.cs",
                    "tests/Testing/ProcessSignal.cs",
                    "tests/Testing/StartupHook.cs",
                ]
        )
            Write(Path.Combine(clone, file), file);
        File.Copy(Repository.File("tests", "precompile.sh"), Path.Combine(clone, "tests", "precompile.sh"));
        return clone;
    }

    private static void Write(string file, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    private static string Executable(string clone) => File.ReadAllText(Path.Combine(clone, "artifacts", "precompiled", "archiver"));

    private async Task<string> RunAsync(string clone, string? cache = null)
    {
        var environment = new Dictionary<string, string?>
        {
            ["PATH"] = $"{Path.Combine(_folder, "bin")}:{Environment.GetEnvironmentVariable("PATH")}",
            ["XDG_CACHE_HOME"] = cache ?? Path.Combine(_folder, "cache"),
        };
        await using var script = ChildProcess.Start(Path.Combine(clone, "tests", "precompile.sh"), [], environment);

        var result = await script.WaitForExitAsync(Token);

        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        return result.Output;
    }
}
