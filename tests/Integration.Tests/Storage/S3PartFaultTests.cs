using Archiver.Core.Diagnostics;
using Archiver.Core.Storage.S3;
using static Archiver.Integration.Tests.Storage.FaultyGateway;

namespace Archiver.Integration.Tests.Storage;

/// <summary>Uploads by parts, to servers that demand or refuse what no real server here does.</summary>
public sealed class S3PartFaultTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("501 Not Implemented", "NotImplemented", false)]
    [InlineData("400 Bad Request", "InvalidArgument", false)]
    [InlineData("412 Precondition Failed", "PreconditionFailed", true)]
    public async Task Whether_an_upload_by_parts_may_overwrite_is_asked_of_its_completion(string status, string code, bool refuses)
    {
        await using var server = new RawHttpServer(head => Completes(head) ? RawHttpServer.Error(status, code) : LockedBucket(head));
        using var store = Direct(server);

        Assert.Equal(refuses, await store.RefusesOverwriteAsync("p", S3ArchiveStore.SinglePutLimit + 1, Token));
    }

    [Fact]
    public async Task Uploads_by_parts_into_a_bucket_whose_object_lock_demands_the_md5_of_each()
    {
        await using var server = new RawHttpServer(LockedBucket);
        using var store = Direct(server);

        var put = await store.PutIfAbsentAsync("k", TestContent.Random(17 << 20), TestContent.NewAttempt(), Token);

        Assert.True(put.Stored);
        Assert.False(await store.RefusesOverwriteAsync("p", S3ArchiveStore.SinglePutLimit + 1, Token));
    }

    [Fact]
    public async Task A_part_that_is_refused_is_not_taken_for_a_condition_that_is_unknown()
    {
        await using var server = new RawHttpServer(head =>
            IsPart(head) ? RawHttpServer.Error("400 Bad Request", "InvalidRequest") : LockedBucket(head)
        );
        using var store = Direct(server);

        var error = await Assert.ThrowsAnyAsync<StorageException>(() =>
            store.RefusesOverwriteAsync("p", S3ArchiveStore.SinglePutLimit + 1, Token)
        );

        Assert.Contains("InvalidRequest", error.Message, StringComparison.Ordinal);
    }

    // As AWS answers where a bucket has object lock with a retention.
    private static (string Text, bool Close) LockedBucket(string head)
    {
        if (IsPart(head))
            return
                head.Contains("Content-MD5:", StringComparison.OrdinalIgnoreCase)
                || head.Contains("x-amz-checksum-", StringComparison.OrdinalIgnoreCase)
                ? RawHttpServer.Answer("200 OK", "", "ETag: \"e\"")
                : RawHttpServer.Error("400 Bad Request", "InvalidRequest");
        if (head.StartsWith("HEAD ", StringComparison.Ordinal))
            return RawHttpServer.Answer("404 Not Found", "");
        return RawHttpServer.Answer(
            "200 OK",
            Completes(head)
                ? "<CompleteMultipartUploadResult><ETag>e-1</ETag></CompleteMultipartUploadResult>"
                : "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
            "Content-Type: application/xml"
        );
    }

    private static bool IsPart(string head) =>
        head.StartsWith("PUT ", StringComparison.Ordinal) && head.Contains("partNumber=", StringComparison.Ordinal);

    private static bool Completes(string head) =>
        head.StartsWith("POST ", StringComparison.Ordinal) && head.Contains("uploadId=", StringComparison.Ordinal);
}
