using System.Security.Cryptography;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// The executable under test. It is the precompiled one that <c>tests/precompile.sh</c> leaves under artifacts, because that starts in a
/// third of the time; but only when it was made from this very build's sources. Otherwise it is the build itself.
/// </summary>
internal static class ArchiverExecutable
{
    private static readonly string[] Assemblies = ["archiver.dll", "Archiver.Core.dll"];

    /// <summary>Its file.</summary>
    public static string Path { get; } = Find();

    private static string Find()
    {
        var built = Repository.BuildOutput(System.IO.Path.Combine("src", "Worker"), "archiver");
        var precompiled = System.IO.Path.Combine(Repository.Root, "artifacts", "precompiled");
        var stamp = System.IO.Path.Combine(precompiled, "made-from");
        return File.Exists(stamp) && File.ReadAllText(stamp) == Stamp(System.IO.Path.GetDirectoryName(built)!)
            ? System.IO.Path.Combine(precompiled, "archiver")
            : built;
    }

    /// <summary>As <c>sha256sum</c> prints it: builds of the same sources are equal byte by byte.</summary>
    private static string Stamp(string folder) =>
        string.Concat(
            Assemblies.Select(a =>
                $"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(System.IO.Path.Combine(folder, a))))}  {a}\n"
            )
        );
}
