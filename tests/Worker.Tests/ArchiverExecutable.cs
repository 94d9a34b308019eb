using System.Security.Cryptography;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// The executable under test. It is the native one that <c>tests/precompile.sh</c> leaves under artifacts, because that is what users have
/// and starts in a fraction of the time; but only when it was made from this very build's sources. Otherwise it is the build itself.
/// </summary>
internal static class ArchiverExecutable
{
    // The same, in the same order, as in tests/precompile.sh.
    private static readonly string[] Sources =
    [
        Built("archiver.dll"),
        Built("Archiver.Core.dll"),
        "src/Worker/Worker.csproj",
        "src/Worker/Native.props",
        "src/Worker/Runtime.props",
        "src/Worker/packages.native.lock.json",
        "tests/Testing/FaultInjection.targets",
        "tests/Testing/ProcessFault.cs",
        "tests/Testing/ProcessSignal.cs",
        "tests/Testing/StartupHook.cs",
    ];

    private static readonly Lazy<Task<string>> Found = new(FindAsync);

    /// <summary>Its file. Waits while <c>test.sh</c> still makes it, so that no test starts another one than the next.</summary>
    public static string Path => Found.Value.GetAwaiter().GetResult();

    /// <summary>Its folder, for a search path.</summary>
    public static string Folder => System.IO.Path.GetDirectoryName(Path)!;

    /// <summary>Done when it is made: for those with a deadline of their own.</summary>
    public static Task MadeAsync() => Found.Value;

    private static async Task<string> FindAsync()
    {
        if (Environment.GetEnvironmentVariable("ARCHIVER_TEST_PRECOMPILING") is { } mark)
            await Eventually.TrueAsync(() => !IsMaking(mark), CancellationToken.None, TimeSpan.FromHours(2));
        var precompiled = System.IO.Path.Combine(Repository.Root, "artifacts", "precompiled");
        var stamp = System.IO.Path.Combine(precompiled, "made-from");
        return File.Exists(stamp) && File.ReadAllText(stamp) == Stamp()
            ? System.IO.Path.Combine(precompiled, "archiver")
            : System.IO.Path.Combine(Repository.Root, Built("archiver"));
    }

    // The mark holds the id of the process that makes it, which may have been killed without taking the mark away.
    private static bool IsMaking(string mark)
    {
        try
        {
            var maker = File.ReadAllText(mark).Trim();
            return maker.Length == 0 || Directory.Exists($"/proc/{maker}");
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    private static string Built(string file) =>
        System.IO.Path.GetRelativePath(Repository.Root, Repository.BuildOutput(System.IO.Path.Combine("src", "Worker"), file));

    /// <summary>As <c>sha256sum</c> prints it: builds of the same sources are equal byte by byte.</summary>
    private static string Stamp() => string.Concat(Sources.Select(source => $"{Hash(source)}  {source}\n"));

    private static string Hash(string source) =>
        Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(System.IO.Path.Combine(Repository.Root, source))));
}
