namespace Archiver.Core.Ledger;

/// <summary>When a policy last succeeded; where several workers share the source, the shard that waits longest speaks for it.</summary>
/// <param name="At">End of its last run that was done; null before there is one of every shard.</param>
/// <param name="Since">The same, or when the ledger was made.</param>
internal sealed record PolicySuccess(DateTimeOffset? At, DateTimeOffset Since);
