namespace Archiver.Core.Diagnostics;

/// <summary>
/// Since when an operation fails that is done in several calls, such as opening an object and reading it: they have one budget.
/// </summary>
internal sealed class RetryClock
{
    /// <summary>A timestamp; null while nothing failed.</summary>
    public long? FirstFailure { get; set; }

    /// <summary>Time that does not count: something came of it.</summary>
    public TimeSpan Earned { get; set; }
}
