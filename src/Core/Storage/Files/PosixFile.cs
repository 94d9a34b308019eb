using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Archiver.Core.Storage.Files;

/// <summary>The two calls an archive needs and .NET does not have: an atomic name that must be new, and a durable folder.</summary>
internal static class PosixFile
{
    private const int Exists = 17; // EEXIST

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

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Sync(int descriptor);

    [DllImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
}
