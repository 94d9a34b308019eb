using Amazon.S3;
using Amazon.S3.Model;
using Archiver.Core.Diagnostics;

namespace Archiver.Core.Storage.S3;

/// <summary>
/// Reads the bucket's lifecycle configuration. Only what removes current objects counts: an archive is read by its version, so a rule for
/// former versions meets it only after somebody else has deleted it. A filter by size is taken to meet every object, one by tag too.
/// </summary>
internal static class S3ExpiryRules
{
    /// <exception cref="StorageException">Not permitted, or the server has no such request or failed.</exception>
    public static async Task<IReadOnlyList<ExpiryRule>> ListAsync(S3Bucket bucket, CancellationToken cancellationToken)
    {
        var request = new GetLifecycleConfigurationRequest { BucketName = bucket.Name };
        try
        {
            var answer = await bucket.CallAsync(null, (s3, ct) => s3.GetLifecycleConfigurationAsync(request, ct), cancellationToken);
            return
            [
                .. (answer.Configuration?.Rules ?? [])
                    .Where(r => r.Status == LifecycleRuleStatus.Enabled && r.Expiration is { } e && (e.Days is > 0 || e.Date is not null))
                    .Select(r => new ExpiryRule(
                        r.Id ?? "",
                        Prefix(r.Filter?.LifecycleFilterPredicate) ?? OldPrefix(r) ?? "",
                        r.Expiration.Days is > 0 and var days ? TimeSpan.FromDays(days) : null
                    )),
            ];
        }
        catch (StorageException e) when (S3Errors.Code(e) == "NoSuchLifecycleConfiguration")
        {
            // Only this says that there are none; a server without the request has said nothing.
            return [];
        }
    }

    // Rules written before there were filters have it here, and servers give it back so.
#pragma warning disable CS0618 // Obsolete for rules that are written; it is read only.
    private static string? OldPrefix(LifecycleRule rule) => rule.Prefix;
#pragma warning restore CS0618

    private static string? Prefix(LifecycleFilterPredicate? filter) =>
        filter switch
        {
            LifecyclePrefixPredicate prefix => prefix.Prefix,
            LifecycleAndOperator and => and.Operands.OfType<LifecyclePrefixPredicate>().FirstOrDefault()?.Prefix,
            _ => null,
        };
}
