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
