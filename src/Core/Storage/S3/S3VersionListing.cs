using System.Runtime.CompilerServices;
using Amazon.S3.Model;
using Archiver.Core.Diagnostics;

namespace Archiver.Core.Storage.S3;

/// <summary>Lists keys with all their versions and delete markers.</summary>
internal static class S3VersionListing
{
    /// <summary>Keys that start with the prefix, in order; page by page.</summary>
    /// <exception cref="StorageException">The store failed, or does not answer what it was asked.</exception>
    public static async IAsyncEnumerable<ListedVersions> ListAsync(
        S3Bucket bucket,
        string prefix,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var request = new ListVersionsRequest { BucketName = bucket.Name, Prefix = prefix };
        var (key, versions) = ((string?)null, new List<ListedVersion>());
        while (true)
        {
            var page = await bucket.CallAsync(null, (s3, ct) => s3.ListVersionsAsync(request, ct), cancellationToken);
            foreach (var item in page.Versions ?? [])
            {
                if (!item.Key.StartsWith(prefix, StringComparison.Ordinal))
                    throw S3Errors.Foreign(bucket, prefix, item.Key);
                // The versions of one key may lie on two pages.
                if (item.Key != key && key is not null)
                {
                    yield return new(key, versions);
                    versions = [];
                }
                key = item.Key;
                versions.Add(new(item.VersionId, item.IsDeleteMarker == true, item.Size ?? 0, S3Bucket.Utc(item.LastModified)));
            }
            if (page.IsTruncated != true)
                break;
            if ((page.NextKeyMarker, page.NextVersionIdMarker) == (request.KeyMarker, request.VersionIdMarker))
                throw new StorageException(
                    StorageFailure.Transient,
                    $"The listing of versions of 's3://{bucket.Name}/{prefix}' does not advance after '{key}'."
                );
            (request.KeyMarker, request.VersionIdMarker) = (page.NextKeyMarker, page.NextVersionIdMarker);
        }
        if (key is not null)
            yield return new(key, versions);
    }
}
