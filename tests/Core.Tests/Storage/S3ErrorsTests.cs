using System.Net;
using System.Xml;
using Amazon.Runtime;
using Amazon.S3;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Storage.S3;

namespace Archiver.Core.Tests.Storage;

public sealed class S3ErrorsTests
{
    private static readonly StorageSettings Settings = new()
    {
        Endpoint = new Uri("http://user:hidden@s3.example:9000/"),
        Bucket = "chats",
        AccessKey = "AKIA",
        SecretKey = "very-secret",
    };

    [Theory]
    [InlineData(500, "InternalError", StorageFailure.Transient)]
    [InlineData(200, "InternalError", StorageFailure.Transient)]
    [InlineData(502, "BadGateway", StorageFailure.Transient)]
    [InlineData(503, "SlowDown", StorageFailure.Transient)]
    [InlineData(507, "InsufficientStorage", StorageFailure.Transient)]
    [InlineData(429, "TooManyRequests", StorageFailure.Transient)]
    [InlineData(408, "RequestTimeout", StorageFailure.Transient)]
    [InlineData(400, "RequestTimeout", StorageFailure.Transient)]
    [InlineData(400, "BadDigest", StorageFailure.Transient)]
    [InlineData(400, "XAmzContentSHA256Mismatch", StorageFailure.Transient)]
    [InlineData(409, "ConditionalRequestConflict", StorageFailure.Transient)]
    [InlineData(409, "OperationAborted", StorageFailure.Transient)]
    [InlineData(404, "NoSuchUpload", StorageFailure.Transient)]
    [InlineData(501, "NotImplemented", StorageFailure.Permanent)]
    [InlineData(400, "InvalidArgument", StorageFailure.Permanent)]
    [InlineData(403, "AccessDenied", StorageFailure.Permanent)]
    [InlineData(403, "Forbidden", StorageFailure.Permanent)]
    [InlineData(403, "QuotaExceeded", StorageFailure.Permanent)]
    [InlineData(403, "RequestTimeTooSkewed", StorageFailure.Permanent)]
    [InlineData(404, "NoSuchBucket", StorageFailure.Permanent)]
    [InlineData(412, "PreconditionFailed", StorageFailure.Permanent)]
    [InlineData(301, "PermanentRedirect", StorageFailure.Permanent)]
    [InlineData(403, "InvalidObjectState", StorageFailure.NeedsThawing)]
    public void Tells_what_passes_from_what_needs_an_operator(int status, string code, StorageFailure expected) =>
        Assert.Equal(expected, Translate(Answer(status, code)).Failure);

    [Theory]
    [InlineData(413, "RequestEntityTooLarge", "413")]
    [InlineData(400, "EntityTooLarge", "400")]
    [InlineData(501, "NotImplemented", "501")]
    [InlineData(406, "NotAcceptable", "406")]
    [InlineData(400, "BadDigest", null)]
    [InlineData(400, "ExpiredToken", null)]
    [InlineData(400, "KMS.DisabledException", null)]
    [InlineData(400, "XMinioAdminBucketQuotaExceeded", null)]
    [InlineData(401, "Unauthorized", null)]
    [InlineData(403, "AccessDenied", null)]
    [InlineData(404, "NotFound", null)]
    [InlineData(404, "NoSuchBucket", null)]
    [InlineData(409, "InvalidBucketState", null)]
    [InlineData(412, "PreconditionFailed", null)]
    [InlineData(500, "InternalError", null)]
    public void Tells_an_object_that_is_refused_from_a_store_that_refuses_us(int status, string code, string? refused) =>
        Assert.Equal(refused, S3Errors.RefusalOf(Translate(Answer(status, code)))?.Code);

    [Fact]
    public void A_broken_connection_may_pass()
    {
        Exception[] errors =
        [
            new HttpRequestException("refused"),
            new IOException("reset"),
            new TimeoutException(),
            new TaskCanceledException(),
            new XmlException(),
            new AmazonClientException("Expected hash not equal to calculated hash"),
        ];

        Assert.All(errors, e => Assert.Equal(StorageFailure.Transient, Translate(e).Failure));
    }

    [Fact]
    public void A_bug_of_ours_is_not_the_stores_failure() =>
        Assert.Null(S3Errors.Translate(new ArgumentNullException("key"), Settings, "k"));

    [Fact]
    public void Only_the_code_for_a_missing_key_means_absent()
    {
        Assert.True(S3Errors.IsAbsent(Translate(Answer(404, "NoSuchKey"))));
        Assert.False(S3Errors.IsAbsent(Translate(Answer(404, "NoSuchBucket"))));
        Assert.False(S3Errors.IsAbsent(Translate(Answer(404, "NotFound"))));
        Assert.False(S3Errors.IsAbsent(Translate(Answer(403, "NoSuchKey"))));
    }

    [Fact]
    public void No_message_holds_a_secret()
    {
        Exception[] errors =
        [
            Answer(403, "SignatureDoesNotMatch"),
            Answer(404, "NoSuchBucket"),
            Answer(500, "InternalError"),
            Answer(403, "AccessDenied"),
            new HttpRequestException("refused"),
            new TimeoutException(),
            new IOException("reset"),
        ];

        Assert.All(errors, e =>
        {
            Assert.DoesNotContain("hidden", Translate(e).Message, StringComparison.Ordinal);
            Assert.DoesNotContain("very-secret", Translate(e).Message, StringComparison.Ordinal);
        });
    }

    private static StorageException Translate(Exception error) => S3Errors.Translate(error, Settings, "a/b.gz")!;

    private static AmazonS3Exception Answer(int status, string code) =>
        new("message of the server", ErrorType.Unknown, code, "request", (HttpStatusCode)status);
}
