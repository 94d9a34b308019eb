using Archiver.Core.Diagnostics;

namespace Archiver.Core.Storage;

/// <summary>What became of objects that were to be removed.</summary>
/// <param name="Failures">Why a key is not confirmed gone; keys that are not in it are gone.</param>
/// <param name="Outage">The store stopped answering; null when it answered, be it with refusals.</param>
public sealed record RemovalOutcome(IReadOnlyDictionary<string, StorageException> Failures, StorageException? Outage)
{
    /// <summary>Whether the store has confirmed that nothing is left under the key.</summary>
    public bool IsGone(string key) => !Failures.ContainsKey(key);
}
