namespace Archiver.Core.Diagnostics;

/// <summary>How a run ended.</summary>
public enum RunOutcome
{
    /// <summary>Everything that could be taken was; sessions in use or changed meanwhile are for the next run.</summary>
    Done,

    /// <summary>Some sessions failed, the others went.</summary>
    Partial,

    /// <summary>The run stopped on an error; batches committed before it stay archived.</summary>
    Failed,

    /// <summary>A safety check stopped it before anything changed.</summary>
    Refused,

    /// <summary>Another worker is running on the source: normal for a schedule.</summary>
    LockedElsewhere,

    /// <summary>Paused by a person; nothing was tried.</summary>
    Paused,

    /// <summary>Stopped on request; what was committed stays archived.</summary>
    Cancelled,
}

/// <summary>What the command line makes of an outcome.</summary>
internal static class RunOutcomes
{
    /// <summary>The exit code of the command line.</summary>
    public static int ExitCode(this RunOutcome outcome) =>
        outcome switch
        {
            RunOutcome.Done or RunOutcome.Paused => 0,
            RunOutcome.Partial or RunOutcome.Failed => 1,
            RunOutcome.Refused or RunOutcome.LockedElsewhere => 3,
            RunOutcome.Cancelled => 130,
            _ => throw new InvalidOperationException($"Unknown outcome {outcome}."),
        };
}
