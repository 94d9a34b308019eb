using System.Globalization;

namespace Archiver.Testing.Proof;

/// <summary>
/// A real file system of a few megabytes, in memory, that can be full. Mounting needs a right that not every machine gives: without it the
/// test is skipped.
/// </summary>
public sealed class SmallDisk : IAsyncDisposable
{
    private const int Block = 4096;

    private SmallDisk(string folder) => Folder = folder;

    /// <summary>Where it is mounted.</summary>
    public string Folder { get; }

    private string Filler => Path.Combine(Folder, "filler");

    /// <summary>Mounts one of so many megabytes.</summary>
    public static async Task<SmallDisk> MountAsync(int megabytes, CancellationToken cancellationToken)
    {
        var disk = new SmallDisk(Directory.CreateTempSubdirectory("archiver-disk-").FullName);
        try
        {
            await RunAsync("mount", ["-t", "tmpfs", "-o", Size(megabytes), "tmpfs", disk.Folder], cancellationToken);
            return disk;
        }
        catch (InvalidOperationException exception)
            when (exception.Message.Contains("permission denied", StringComparison.OrdinalIgnoreCase)
                || exception.Message.Contains("superuser", StringComparison.OrdinalIgnoreCase)
            )
        {
            Directory.Delete(disk.Folder);
            if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI")))
                Xunit.Assert.Skip(exception.Message);
            throw;
        }
    }

    /// <summary>Gives it to the owner of another folder, such as a server's, and to nobody else.</summary>
    public async Task GiveToOwnerOfAsync(string folder, CancellationToken cancellationToken)
    {
        await RunAsync("chown", [$"--reference={folder}", Folder], cancellationToken);
        await RunAsync("chmod", ["700", Folder], cancellationToken);
    }

    /// <summary>Fills it to the last block.</summary>
    public void Fill()
    {
        using var file = new FileStream(Filler, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[Block];
        try
        {
            while (true)
                file.Write(block);
        }
        catch (IOException)
        {
            // No space left on device.
        }
    }

    /// <summary>Frees what <see cref="Fill"/> took.</summary>
    public void Free() => File.Delete(Filler);

    /// <summary>Makes it larger.</summary>
    public Task GrowAsync(int megabytes, CancellationToken cancellationToken) =>
        RunAsync("mount", ["-o", $"remount,{Size(megabytes)}", Folder], cancellationToken);

    public async ValueTask DisposeAsync()
    {
        // A server may still have files open.
        await RunAsync("umount", ["--lazy", Folder], CancellationToken.None);
        Directory.Delete(Folder);
    }

    private static string Size(int megabytes) => string.Create(CultureInfo.InvariantCulture, $"size={megabytes}m");

    private static async Task RunAsync(string file, string[] arguments, CancellationToken cancellationToken)
    {
        await using var process = ChildProcess.Start(file, arguments);
        var result = await process.WaitForExitAsync(cancellationToken);
        if (result.ExitCode != 0)
            throw new InvalidOperationException($"{file} failed: {result.Error.Trim()}");
    }
}
