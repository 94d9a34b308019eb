namespace Archiver.Worker.Output;

/// <summary>One condition: what keeps a session out that does not meet it, what it looks at, and whether it is met.</summary>
internal sealed record ConditionJson(string Reason, string Subject, bool Met);
