namespace Archiver.Worker.Output;

/// <summary>
/// One condition: what keeps a session out that does not meet it, what it looks at, whether it is met, and the dates that decide.
/// </summary>
/// <param name="Reason">What keeps out a session that does not meet it.</param>
/// <param name="Subject">What it looks at.</param>
/// <param name="Met">Whether the session meets it.</param>
/// <param name="Date">The date that it compares; null where it compares none, or there is none.</param>
/// <param name="Before">The date must lie before this instant.</param>
internal sealed record ConditionJson(string Reason, string Subject, bool Met, string? Date, DateTimeOffset? Before);
