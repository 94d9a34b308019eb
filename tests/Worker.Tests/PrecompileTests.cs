using System.Runtime.Versioning;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// <c>tests/precompile.sh</c> keeps what it made for other clones. If it gave an executable of other sources, the tests that start a
/// process would not test the present ones.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class PrecompileTests : IDisposable
{
    private const string Compiler = """
        #!/bin/bash
        [ "$1" != --version ] || { echo "${SDK_VERSION:-10}"; exit; }
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

    public static TheoryData<string> Sources =>
        [
            "src/Core/Code.cs",
            "src/Worker/Worker.csproj",
            "src/Worker/Native.props",
            "src/Worker/Runtime.props",
            "src/Worker/packages.native.lock.json",
            "sql/ledger.sql",
            "global.json",
            "Directory.Build.props",
            "Directory.Build.targets",
            "Directory.Packages.props",
            "tests/Testing/FaultInjection.targets",
            "tests/Testing/ProcessFault.cs",
            "tests/Testing/ProcessSignal.cs",
            "tests/Testing/StartupHook.cs",
            "tests/precompile.sh",
        ];

    private string Kept => Path.Combine(_folder, "cache", "archiver-tests");

    [Fact]
    public async Task Compiles_the_same_sources_once_for_all_clones()
    {
        var (first, second) = (await CloneAsync("first"), await CloneAsync("second"));

        Assert.True(await CompilesAsync(first));
        Assert.False(await CompilesAsync(second));

        Assert.Equal(Executable(first), Executable(second));
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public async Task Compiles_what_has_changed(string source)
    {
        var clone = await CloneAsync("first");
        Assert.True(await CompilesAsync(clone));
        await File.AppendAllTextAsync(Path.Combine(clone, source), "\n# changed", Token);

        Assert.True(await CompilesAsync(clone));
        await CommitAsync(clone);
        Assert.True(await CompilesAsync(clone));

        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(clone, "src/Core/Code.cs"), Token), Executable(clone));
    }

    [Fact]
    public async Task Keeps_nothing_that_is_not_committed()
    {
        var clone = await CloneAsync("first");
        Write(Path.Combine(clone, "src/Core/More.cs"), "new");

        Assert.True(await CompilesAsync(clone));

        Assert.False(Directory.Exists(Kept));
    }

    [Fact]
    public async Task Compiles_with_another_version_of_the_compiler()
    {
        Assert.True(await CompilesAsync(await CloneAsync("first")));

        Assert.True(await CompilesAsync(await CloneAsync("second"), ("SDK_VERSION", "11")));
    }

    [Fact]
    public async Task Compiles_where_what_was_kept_is_damaged()
    {
        Assert.True(await CompilesAsync(await CloneAsync("first")));
        foreach (var kept in Directory.GetFiles(Kept))
            await File.WriteAllTextAsync(kept, "damaged", Token);
        var second = await CloneAsync("second");

        Assert.True(await CompilesAsync(second));

        Assert.NotEmpty(Executable(second));
    }

    [Fact]
    public async Task Compiles_where_nothing_can_be_kept()
    {
        var clone = await CloneAsync("first");

        Assert.True(await CompilesAsync(clone, ("XDG_CACHE_HOME", "/proc/nowhere")));

        Assert.NotEmpty(Executable(clone));
    }

    [Fact]
    public async Task Keeps_what_was_used_last()
    {
        var (clone, old) = (await CloneAsync("first"), await CloneAsync("old"));
        Assert.True(await CompilesAsync(old));
        for (var change = 0; change < 5; change++)
        {
            await File.AppendAllTextAsync(Path.Combine(clone, "src/Core/Code.cs"), "\n// changed", Token);
            await CommitAsync(clone);
            Assert.True(await CompilesAsync(clone));
            Assert.False(await CompilesAsync(old));
        }

        Assert.Equal(3, Directory.GetFiles(Kept).Length);
        Assert.False(await CompilesAsync(clone));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<string> CloneAsync(string name)
    {
        var clone = Path.Combine(_folder, name);
        foreach (var source in Sources)
            Write(Path.Combine(clone, source), source);
        File.Copy(Repository.File("tests", "precompile.sh"), Path.Combine(clone, "tests", "precompile.sh"), overwrite: true);
        Write(Path.Combine(clone, ".gitignore"), "bin/\nartifacts/\n");
        Write(Path.Combine(clone, "src/Worker/bin/Debug/net10.0/archiver.dll"), "");
        Write(Path.Combine(clone, "src/Worker/bin/Debug/net10.0/Archiver.Core.dll"), "");
        await RunAsync(clone, "git", ["init", "--quiet"]);
        await CommitAsync(clone);
        return clone;
    }

    private async Task CommitAsync(string clone)
    {
        await RunAsync(clone, "git", ["add", "--all"]);
        await RunAsync(clone, "git", ["-c", "user.name=a", "-c", "user.email=a", "commit", "--quiet", "--message", "a"]);
    }

    private static void Write(string file, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    private static string Executable(string clone) => File.ReadAllText(Path.Combine(clone, "artifacts", "precompiled", "archiver"));

    /// <summary>Whether it compiled what a clone needs that has no executable yet.</summary>
    private async Task<bool> CompilesAsync(string clone, params (string Name, string Value)[] environment)
    {
        var made = Path.Combine(clone, "artifacts");
        if (Directory.Exists(made))
            Directory.Delete(made, recursive: true);
        var output = await RunAsync(clone, Path.Combine(clone, "tests", "precompile.sh"), [], environment);
        return output.Contains("compiled", StringComparison.Ordinal);
    }

    private async Task<string> RunAsync(string clone, string file, string[] arguments, params (string Name, string Value)[] environment)
    {
        var variables = new Dictionary<string, string?>
        {
            ["PATH"] = $"{Path.Combine(_folder, "bin")}:{Environment.GetEnvironmentVariable("PATH")}",
            ["XDG_CACHE_HOME"] = Path.Combine(_folder, "cache"),
        };
        foreach (var (name, value) in environment)
            variables[name] = value;
        await using var program = ChildProcess.Start(file, arguments, variables, folder: clone);

        var result = await program.WaitForExitAsync(Token);

        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        return result.Output;
    }
}
