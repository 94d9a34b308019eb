using System.Globalization;
using System.Runtime.InteropServices;
using Archiver.Core.Diagnostics;

namespace Archiver.Testing;

/// <summary>
/// Kills or stops the executable under test at one of its fault points. Into the build, the test loads this assembly by the runtime's own
/// start-up hook; into the native executable that tests start it is compiled (FaultInjection.targets). To what is published, a variable of
/// ours means nothing.
/// </summary>
public static class ProcessFault
{
    private const string Variable = "ARCHIVER_TEST_FAULT";

    /// <summary>Exit code of a process that ended by SIGKILL.</summary>
    public const int Killed = 137;

    /// <summary>Every fault point of the product.</summary>
    public static IReadOnlyList<string> Points { get; } =
    [.. typeof(FaultPoints).GetFields().Where(f => f.IsLiteral).Select(f => (string)f.GetRawConstantValue()!)];

    /// <summary>Environment of a process that gets the signal when it comes to the point for that time.</summary>
    public static IReadOnlyDictionary<string, string?> At(string point, int time = 1, ProcessSignal signal = ProcessSignal.Kill) =>
        new Dictionary<string, string?>
        {
            ["DOTNET_STARTUP_HOOKS"] = typeof(ProcessFault).Assembly.Location,
            [Variable] = string.Create(CultureInfo.InvariantCulture, $"{point}:{time}:{(int)signal}"),
        };

    /// <summary>Called by the start-up hook, inside the executable.</summary>
    internal static void Install()
    {
        if (Environment.GetEnvironmentVariable(Variable)?.Split(':') is not [var point, var time, var signal])
            return;
        var left = int.Parse(time, CultureInfo.InvariantCulture);
        FaultPoint.Reached = name =>
        {
            if (name != point || Interlocked.Decrement(ref left) != 0)
                return;
            Console.Error.WriteLine($"fault point {name}: signal {signal}");
            _ = Kill(Environment.ProcessId, int.Parse(signal, CultureInfo.InvariantCulture));
            // Nothing after this point may happen before the signal arrives.
            new ManualResetEventSlim().Wait(signal == "9" ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(50));
        };
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int pid, int signal);
}
