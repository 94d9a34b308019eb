namespace Archiver.Core.Status;

/// <summary>A run as the ledger has it.</summary>
/// <param name="State">running, done, partial, failed, refused, cancelled or interrupted.</param>
/// <param name="Seconds">From its start to its end, or until now.</param>
/// <param name="Reasons">Skipped and failed sessions by reason.</param>
/// <param name="Error">One sentence for a person; null when nothing went wrong.</param>
internal sealed record RecordedRun(
    Guid Id,
    string Source,
    string Policy,
    string Action,
    string State,
    DateTimeOffset StartedAt,
    DateTimeOffset? EndedAt,
    double Seconds,
    long Selected,
    long Done,
    long Skipped,
    long Failed,
    long Rows,
    long JsonBytes,
    long StoredBytes,
    IReadOnlyDictionary<string, long> Reasons,
    string? Error
);
