namespace Archiver.Core.Diagnostics;

/// <summary>What to do about a storage failure.</summary>
public enum StorageFailure
{
    /// <summary>Connection, timeout, 5xx, 429, corrupted in transit: the same request may work later. The outcome may be unknown.</summary>
    Transient,

    /// <summary>Credentials, bucket, permission, quota: nothing works until an operator acts; the run stops.</summary>
    Permanent,

    /// <summary>The object exists but must be thawed first (Glacier, Deep Archive): not corrupt.</summary>
    NeedsThawing,
}

/// <summary>The store failed. The message names the setting to look at and holds no secret.</summary>
public class StorageException(StorageFailure failure, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What to do about it.</summary>
    public StorageFailure Failure { get; } = failure;
}
