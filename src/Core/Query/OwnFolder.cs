using System.Runtime.InteropServices;

namespace Archiver.Core.Query;

/// <summary>
/// Whether a folder is this user's own, and no link, and nobody else may write to it. Only such a folder can be removed by its path:
/// whoever may write to another one could put a link in the place of a folder in it meanwhile, and what is removed then lies elsewhere. For
/// root that may be anything. .NET does not tell who owns a file.
/// </summary>
internal static class OwnFolder
{
    private const int Here = -100; // AT_FDCWD

    private const int NoFollow = 0x100; // AT_SYMLINK_NOFOLLOW

    private const uint Wanted = 0x1 | 0x2 | 0x8; // STATX_TYPE, STATX_MODE, STATX_UID

    /// <summary>Of <c>struct statx</c>, which is the same on every processor.</summary>
    private const int Size = 256,
        OwnerAt = 20,
        ModeAt = 28;

    private const int Kind = 0xF000, // S_IFMT
        Folder = 0x4000, // S_IFDIR
        WrittenByOthers = 0x12; // S_IWGRP, S_IWOTH

    public static bool Is(string path)
    {
        // Elsewhere each user has a folder for temporary files.
        if (!OperatingSystem.IsLinux())
            return true;
        var status = new byte[Size];
        if (Statx(Here, path, NoFollow, Wanted, status) != 0)
            return false;
        var mode = BitConverter.ToUInt16(status, ModeAt);
        return (mode & Kind) == Folder && (mode & WrittenByOthers) == 0 && BitConverter.ToUInt32(status, OwnerAt) == EffectiveUser();
    }

    [DllImport("libc", EntryPoint = "statx")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Statx(
        int folder,
        [MarshalAs(UnmanagedType.LPUTF8Str)] string path,
        int flags,
        uint wanted,
        [Out] byte[] status
    );

    [DllImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint EffectiveUser();
}
