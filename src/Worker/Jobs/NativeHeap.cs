using System.Runtime.InteropServices;

namespace Archiver.Worker.Jobs;

/// <summary>The heap of the C library, from which compression, TLS and the compiler allocate.</summary>
internal static class NativeHeap
{
    private const int ArenaMax = -8,
        Arenas = 2;

    /// <summary>
    /// Two arenas instead of eight a core, and their free pages go back to the system after each of the runtime's collections. Each thread
    /// of the pool would get an arena of its own, and what passed through it would stay there: 60 MB in a long run, and as much again of
    /// free pages. Arenas are limited before there is a ninth only, so first thing in the process.
    /// </summary>
    public static void KeepSmall()
    {
        Try(() => mallopt(ArenaMax, Arenas));
        _ = new AfterCollection();
    }

    /// <summary>Gives free pages back to the system.</summary>
    public static void Trim() => Try(() => malloc_trim(0));

    /// <summary>
    /// Nobody holds it, so each collection finds it, and the runtime calls it: work is done when there was work, and none at rest.
    /// </summary>
    private sealed class AfterCollection
    {
        ~AfterCollection()
        {
            Trim();
            _ = new AfterCollection();
        }
    }

    private static void Try(Func<int> call)
    {
        try
        {
            _ = call();
        }
        catch (Exception exception) when (exception is EntryPointNotFoundException or DllNotFoundException)
        {
            // Another C library than glibc, which has its own ways.
        }
    }

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int mallopt(int parameter, int value);

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int malloc_trim(nuint pad);
}
