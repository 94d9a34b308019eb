using System.Collections.Concurrent;
using System.Diagnostics;

namespace Archiver.Testing;

/// <summary>Starts processes that the kernel kills when this process ends, however it ends.</summary>
/// <remarks>
/// The kernel's parent death signal follows the <em>thread</em> that forked, not its process: a child started from the
/// thread pool dies when the pool retires that thread. So one thread, which never ends, starts them all.
/// </remarks>
internal static class ProcessLauncher
{
    private static readonly BlockingCollection<Action> Work = [];

    static ProcessLauncher() => new Thread(Loop) { IsBackground = true, Name = "process launcher" }.Start();

    /// <summary>
    /// Starts the program of <paramref name="info"/> under <c>setpriv</c>, which replaces itself by it: the id is the program's own.
    /// </summary>
    public static Process StartTied(ProcessStartInfo info)
    {
        info.ArgumentList.Insert(0, info.FileName);
        foreach (var argument in (string[])["--", "KILL", "--pdeathsig"])
            info.ArgumentList.Insert(0, argument);
        info.FileName = "setpriv";

        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        Work.Add(() =>
        {
            try
            {
                started.SetResult(Process.Start(info)!);
            }
            catch (Exception e)
            {
                started.SetException(e);
            }
        });
        return started.Task.GetAwaiter().GetResult();
    }

    private static void Loop()
    {
        foreach (var start in Work.GetConsumingEnumerable())
            start();
    }
}
