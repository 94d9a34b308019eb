namespace Archiver.Core.Diagnostics;

/// <summary>
/// A place between two steps where a test may kill, stop or hold the process (see <see cref="FaultPoints"/>). Inert in production: nothing
/// in <c>src</c> sets <see cref="Reached"/>, no configuration and no environment variable of ours does; only the tests' own assembly, which
/// they load into the process and which is not shipped.
/// </summary>
internal static class FaultPoint
{
    /// <summary>Called with the name of each point that is reached; null outside of tests.</summary>
    public static Action<string>? Reached { get; set; }

    /// <summary>Says that the process is here.</summary>
    public static void Reach(string name) => Reached?.Invoke(name);
}
