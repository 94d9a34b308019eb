using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Storage;

namespace Archiver.Core.Discard;

/// <summary>
/// Refuses to store where the bucket itself would remove archives before <c>discard</c> could (docs/protocol.md rule 19): such a rule knows
/// no hold, no notice and no ledger, and the rows are gone by then. What is under <c>.archiver/</c> never ends: without its tombstones what
/// was erased would come back.
/// </summary>
internal static class BucketExpiry
{
    /// <summary>What could not be looked at, or is not as safe as <c>discard</c>, for the log; else null.</summary>
    /// <exception cref="ArchiverException">A rule would remove archives too early, or what must stay.</exception>
    public static async Task<string?> CheckAsync(
        IArchiveStore store,
        string prefix,
        DiscardSettings discard,
        CancellationToken cancellationToken
    )
    {
        IReadOnlyList<ExpiryRule> rules;
        try
        {
            rules = await store.ListExpiryRulesAsync(cancellationToken);
        }
        catch (StorageException exception) when (exception.Failure == StorageFailure.Permanent)
        {
            return $"the lifecycle rules of {store.Location} cannot be read (permission s3:GetLifecycleConfiguration, or the server lacks "
                + $"the request): nobody has checked that none of them removes archives. {exception.Message}";
        }
        List<ExpiryRule> ours = [.. rules.Where(r => r.Covers(prefix))];
        // An archive may be in notice when it is as old as Discard:After: only after both would it have been discarded.
        if (ours.FirstOrDefault(r => !(r.After >= discard.After + discard.Notice)) is { } early)
        {
            throw Refusal(
                store,
                early,
                prefix,
                discard.After is { } after
                    ? $"before Archiver:Discard:After and Notice are over ({Duration.Format(after)} + {Duration.Format(discard.Notice)})"
                    : "and Archiver:Discard:After is not set: archives are kept for ever"
            );
        }
        if (ours.FirstOrDefault(r => r.Covers($"{prefix}/.archiver")) is { } whole)
            throw Refusal(
                store,
                whole,
                $"{prefix}/.archiver",
                "with them the tombstones that keep erased sessions from coming back, and the manifests"
            );
        return ours.Count == 0
            ? null
            : $"the lifecycle rule '{ours[0].Name}' of {store.Location} removes archives that are {Duration.Format(ours[0].After!.Value)} "
                + "old, under legal hold or not: a bucket knows no hold of the ledger. Let discard end them.";
    }

    private static ArchiverException Refusal(IArchiveStore store, ExpiryRule rule, string folder, string why) =>
        new(
            FailureKind.Refused,
            $"The lifecycle rule '{rule.Name}' of {store.Location} removes objects under '{folder}/' "
                + (rule.After is { } age ? $"when they are {Duration.Format(age)} old, " : "at a fixed date, ")
                + $"{why}. Give it a prefix that leaves this folder out, or take its expiration away."
        );
}
