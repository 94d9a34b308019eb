using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Archiver.Core.Storage.Files;

/// <summary>
/// The calls an archive needs and .NET does not have: an atomic name that must be new, a durable folder, and whether a file is there.
/// </summary>
internal static class PosixFile
{
    private const int Exists = 17; // EEXIST
    private const int NoEntry = 2; // ENOENT

    /// <summary>
    /// Gives the file a second name that must be new; false when it exists. <c>File.Move(overwrite: false)</c> is not enough: on Unix
    /// it looks whether the target exists and then renames, and a rename overwrites what came in between.
    /// </summary>
    /// <exception cref="IOException">The file system has no hard links, or the folder cannot be written.</exception>
    public static bool TryLink(string existing, string name)
    {
        if (OperatingSystem.IsWindows())
        {
            try
            {
                File.Move(existing, name, overwrite: false); // atomic there
                return true;
            }
            catch (IOException) when (File.Exists(name))
            {
                return false;
            }
        }
        if (Link(existing, name) == 0)
            return true;
        return Marshal.GetLastPInvokeError() == Exists ? false : throw Failure("link", name);
    }

    /// <summary>Makes the folder's names durable: after a power cut a file whose name was not synced is gone.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public static void SyncFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = Open(folder, 0);
        if (descriptor < 0)
            throw Failure("open", folder);
        try
        {
            if (Sync(descriptor) != 0)
                throw Failure("fsync", folder);
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    /// <summary>
    /// Whether something has the name, links followed. <c>File.Exists</c> is not enough: it takes every error for an absent file.
    /// </summary>
    /// <exception cref="IOException">
    /// The system does not say: a folder may not be entered or is none, the disk fails.
    /// </exception>
    public static bool IsThere(string path)
    {
        if (OperatingSystem.IsWindows())
            return Path.Exists(path);
        if (Access(path, 0) == 0)
            return true;
        return Marshal.GetLastPInvokeError() == NoEntry ? false : throw Failure("access", path);
    }

    /// <summary>The path, or the lowest folder above it that is there.</summary>
    /// <exception cref="IOException">
    /// The system does not say, or a link leads to nothing: what was behind it is away and not gone.
    /// </exception>
    public static string Lowest(string path)
    {
        while (!IsThere(path))
        {
            if (new FileInfo(path).LinkTarget is not null)
                throw new IOException($"'{path}' is a link to what is not there.");
            path = Path.GetDirectoryName(path)!;
        }
        return path;
    }

    private static IOException Failure(string call, string path)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{call} '{path}': {new Win32Exception(error).Message}", error);
    }

    [DllImport("libc", EntryPoint = "link", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Link([MarshalAs(UnmanagedType.LPUTF8Str)] string existing, [MarshalAs(UnmanagedType.LPUTF8Str)] string name);

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "access", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Access([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int mode);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Sync(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
}
