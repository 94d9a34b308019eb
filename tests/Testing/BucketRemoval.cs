using System.Net;
using Amazon.S3;
using Amazon.S3.Model;

namespace Archiver.Testing;

/// <summary>Empties a bucket, its versions, holds and unfinished uploads included, and removes it.</summary>
internal sealed class BucketRemoval(IAmazonS3 client, string bucket)
{
    public async Task RunAsync()
    {
        await AbortUploadsAsync();
        while (await RemovePageAsync()) { }
        try
        {
            await client.DeleteBucketAsync(bucket);
        }
        catch (AmazonS3Exception e) when (e.StatusCode is HttpStatusCode.NotFound || e.ErrorCode is "BucketNotEmpty")
        {
            // The test removed it, or a compliance lock keeps an object.
        }
    }

    private async Task AbortUploadsAsync()
    {
        var uploads = await IfThereAsync(client.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = bucket }));
        foreach (var upload in uploads?.MultipartUploads ?? [])
            await client.AbortMultipartUploadAsync(bucket, upload.Key, upload.UploadId);
    }

    /// <summary>Removes the first page of versions; says whether that made progress, so that another page may be worth it.</summary>
    private async Task<bool> RemovePageAsync()
    {
        var page = await IfThereAsync(client.ListVersionsAsync(new ListVersionsRequest { BucketName = bucket }));
        var versions = page?.Versions ?? [];
        if (versions.Count == 0)
            return false;
        var refused = await RemoveAsync(versions);
        if (refused.Count == 0)
            return true;
        foreach (var version in refused)
            await LiftLegalHoldAsync(version);
        return (await RemoveAsync(refused)).Count < versions.Count;
    }

    private async Task<List<S3ObjectVersion>> RemoveAsync(List<S3ObjectVersion> versions)
    {
        var request = new DeleteObjectsRequest
        {
            BucketName = bucket,
            BypassGovernanceRetention = true,
            Objects = [.. versions.Select(version => new KeyVersion { Key = version.Key, VersionId = version.VersionId })],
        };
        try
        {
            await client.DeleteObjectsAsync(request);
            return [];
        }
        catch (DeleteObjectsException e)
        {
            var failed = (e.Response.DeleteErrors ?? []).Select(error => (error.Key, error.VersionId)).ToHashSet();
            return [.. versions.Where(version => failed.Contains((version.Key, version.VersionId)))];
        }
    }

    private Task<PutObjectLegalHoldResponse?> LiftLegalHoldAsync(S3ObjectVersion version) =>
        IfThereAsync(
            client.PutObjectLegalHoldAsync(
                new PutObjectLegalHoldRequest
                {
                    BucketName = bucket,
                    Key = version.Key,
                    VersionId = version.VersionId,
                    LegalHold = new ObjectLockLegalHold { Status = ObjectLockLegalHoldStatus.Off },
                }
            )
        );

    private static async Task<T?> IfThereAsync<T>(Task<T> request)
        where T : class
    {
        try
        {
            return await request;
        }
        catch (AmazonS3Exception e) when (e.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed)
        {
            return null;
        }
    }
}
