using Archiver.Core.Diagnostics;

namespace Archiver.Testing.Proof;

/// <summary>
/// Does something at a fault point of a run inside the test process; other tests' runs, at the same time, are not touched.
/// </summary>
public static class InProcessFault
{
    private static readonly AsyncLocal<Action<string>?> Mine = new();

    static InProcessFault() => FaultPoint.Reached = name => Mine.Value?.Invoke(name);

    /// <summary>Whether the calling test has one.</summary>
    public static bool IsSet => Mine.Value is not null;

    /// <summary>Runs the action when the calling test's runs come to the point for the first time; the run waits for it.</summary>
    /// <returns>Whether that has happened.</returns>
    public static Func<bool> Once(string point, Func<Task> action)
    {
        var reached = 0;
        Always(point, () => Interlocked.Exchange(ref reached, 1) == 0 ? action() : Task.CompletedTask);
        return () => Volatile.Read(ref reached) == 1;
    }

    /// <summary>The same each time that they come to the point.</summary>
    public static void Always(string point, Func<Task> action)
    {
        var before = Mine.Value;
        Mine.Value = name =>
        {
            before?.Invoke(name);
            if (name == point)
                Task.Run(action).GetAwaiter().GetResult();
        };
    }
}
