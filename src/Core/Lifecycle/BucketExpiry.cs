using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Archiver.Core.Policies;
using Archiver.Core.Storage;

namespace Archiver.Core.Lifecycle;

/// <summary>
/// Refuses to store where the bucket itself would remove archives before <c>Discard:After</c> (PROTOCOL.md rule 19): such a rule knows no hold,
/// no notice and no ledger, and the rows are gone by then.
/// </summary>
internal static class BucketExpiry
{
    /// <summary>What could not be looked at, for the log; else null.</summary>
    /// <exception cref="ArchiverException">A rule would remove archives too early.</exception>
    public static async Task<string?> CheckAsync(IArchiveStore store, string prefix, DiscardSettings discard, CancellationToken cancellationToken)
    {
        IReadOnlyList<ExpiryRule> rules;
        try
        {
            rules = await store.ListExpiryRulesAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (StorageException exception) when (exception.Failure == StorageFailure.Permanent)
        {
            return $"the lifecycle rules of {store.Location} cannot be read (permission s3:GetLifecycleConfiguration): nobody has checked that none of them removes archives. {exception.Message}";
        }
        return rules.FirstOrDefault(r => r.Covers(prefix) && !(r.After >= discard.After)) is not { } early ? null : throw new ArchiverException(
            FailureKind.Refused,
            $"The lifecycle rule '{early.Name}' of {store.Location} removes objects under '{prefix}/' "
            + (early.After is { } age ? $"when they are {Duration.Format(age)} old, " : "at a fixed date, ")
            + (discard.After is { } after ? $"before Archiver:Discard:After ({Duration.Format(after)})" : "and Archiver:Discard:After is not set: archives are kept for ever")
            + ". Exclude the prefix from the rule, or take its expiration away.");
    }
}
