namespace Archiver.Worker.Output;

/// <summary>Exit codes of the command line; the README has the table.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>Failed, or only a part was done.</summary>
    public const int Failed = 1;

    /// <summary>Wrong usage or configuration; nothing was tried.</summary>
    public const int Usage = 2;

    /// <summary>A safety check refused, or another worker holds the lock.</summary>
    public const int Refused = 3;

    /// <summary>Stopped by SIGINT or SIGTERM.</summary>
    public const int Cancelled = 130;

    /// <summary>
    /// The same where some may have changed something: beside that a refusal is the part that was not done, for whoever reads of
    /// <see cref="Refused"/> that nothing was changed.
    /// </summary>
    public static int Worst<T>(IReadOnlyCollection<T> outcomes, Func<T, int> code, Func<T, bool> changed) =>
        Worst(outcomes.Select(code)) is var worst && worst == Refused && outcomes.Any(changed) ? Failed : worst;

    /// <summary>Of several outcomes the one to report: stopped, then failed, then whatever refused.</summary>
    public static int Worst(IEnumerable<int> codes) =>
        codes
            .DefaultIfEmpty(Done)
            .MaxBy(c =>
                c switch
                {
                    Done => 0,
                    Refused => 1,
                    Usage => 2,
                    Failed => 3,
                    _ => 4,
                }
            );
}
