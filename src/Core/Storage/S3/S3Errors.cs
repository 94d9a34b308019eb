using System.Net;
using System.Security.Authentication;
using System.Xml;
using Amazon.Runtime;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;

namespace Archiver.Core.Storage.S3;

/// <summary>
/// Turns what the SDK throws into a <see cref="StorageException"/> whose message names the setting to look at. Decided by status
/// and error code, because the SDK's own <c>Retryable</c> is always null.
/// </summary>
internal static class S3Errors
{
    /// <summary>The failure, or null for an exception that is not the store's (a bug of ours).</summary>
    public static StorageException? Translate(Exception error, StorageSettings settings, string? key)
    {
        var server = Server(settings);
        (StorageFailure Failure, string Message)? known = error switch
        {
            AmazonServiceException { StatusCode: not 0 } answer => FromAnswer(answer, settings, server, key),
            TimeoutException or OperationCanceledException => (
                StorageFailure.Transient,
                $"{server} did not answer within {settings.Timeout.TotalSeconds:0.###} s (Archiver:Storage:Timeout)."
                    + " Check the server and Archiver:Storage:Endpoint."
            ),
            HttpRequestException { InnerException: AuthenticationException tls } => (
                StorageFailure.Permanent,
                $"No TLS connection to {server}: {tls.Message} Check its certificate and Archiver:Storage:Endpoint."
            ),
            HttpRequestException http => (
                StorageFailure.Transient,
                $"{server} cannot be reached ({http.Message}): check Archiver:Storage:Endpoint."
            ),
            IOException io => (StorageFailure.Transient, $"The connection to {server} broke{Of(key)}: {io.Message}"),
            XmlException or AmazonServiceException => (
                StorageFailure.Transient,
                $"{server} sent an answer that cannot be read{Of(key)}: {error.Message}"
            ),
            AmazonClientException => (StorageFailure.Transient, $"The request to {server} failed{Of(key)}: {error.Message}"),
            // What the SDK makes of a redirect to a host that is not AWS.
            ArgumentException when error.Message.Contains("Invalid S3 URI", StringComparison.Ordinal) => (
                StorageFailure.Permanent,
                $"{server} redirects elsewhere: correct Archiver:Storage:Endpoint."
            ),
            _ => null,
        };
        return known is { } found ? new StorageException(found.Failure, found.Message, error) : null;
    }

    /// <summary>The put's condition did not hold: the key exists.</summary>
    public static bool IsConditionFailed(StorageException error) => Answer(error)?.StatusCode == HttpStatusCode.PreconditionFailed;

    /// <summary>The server does not know conditional puts: 501, or 400 about a header or argument.</summary>
    public static bool IsConditionUnknown(StorageException error) =>
        Answer(error) is { } answer
        && (
            answer.StatusCode == HttpStatusCode.NotImplemented
            || (
                answer.StatusCode == HttpStatusCode.BadRequest
                && answer.ErrorCode is "NotImplemented" or "InvalidArgument" or "InvalidRequest"
            )
        );

    /// <summary>
    /// What to throw when a put was refused for the object's own sake. Null when it was refused for who asks or where, or may work later:
    /// then any other object would meet the same.
    /// </summary>
    public static ObjectRefusedException? RefusalOf(StorageException error) =>
        error.Failure == StorageFailure.Permanent
        && Answer(error) is { } answer
        && (int)answer.StatusCode is 400 or 406 or 411 or 413 or 414 or 415 or 422 or 431 or 451 or 501
        && !IsAboutEveryObject(answer.ErrorCode ?? "")
            ? new ObjectRefusedException($"{(int)answer.StatusCode}", error.Message, answer)
            : null;

    /// <summary>
    /// The object, or the version asked for, is not there. Only these codes say so: a bare 404 also comes from a missing bucket,
    /// a wrong endpoint or a proxy, and believing it would report every archive as lost.
    /// </summary>
    public static bool IsAbsent(StorageException error) =>
        Answer(error) is { StatusCode: HttpStatusCode.NotFound, ErrorCode: "NoSuchKey" or "NoSuchVersion" };

    /// <summary>A 404 of a HEAD, which has no body and so no code: missing key or missing bucket.</summary>
    public static bool IsAmbiguousNotFound(StorageException error) => Answer(error) is { StatusCode: HttpStatusCode.NotFound };

    /// <summary>The range begins at or after the end of the object.</summary>
    public static bool IsRangePastEnd(StorageException error) => Answer(error)?.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable;

    /// <summary>The server answered, be it with a refusal; false where a connection broke or nothing came in time.</summary>
    public static bool IsAnswer(StorageException error) => Answer(error) is { StatusCode: not 0 };

    /// <summary>A listing that holds what was not asked for: it is another request's, and what it lacks may be there.</summary>
    public static StorageException Foreign(S3Bucket bucket, string prefix, string key) =>
        new(
            StorageFailure.Transient,
            $"The listing of 's3://{bucket.Name}/{prefix}' by {Server(bucket.Settings)} holds '{key}': it is not the "
                + "answer to what was asked."
        );

    /// <summary>The error code the server gave, for messages.</summary>
    public static string Code(StorageException error) => Answer(error)?.ErrorCode ?? error.Failure.ToString();

    /// <summary>The server without user info: a password in the URL must not reach a log.</summary>
    public static string Server(StorageSettings settings) =>
        settings.Endpoint?.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped)
        ?? $"AWS S3 ({settings.Region ?? "region of the environment"})";

    private static AmazonServiceException? Answer(StorageException error) => error.InnerException as AmazonServiceException;

    private static bool IsAboutEveryObject(string code) =>
        IsOfCredentials(code)
        || IsOfQuota(code)
        || IsOfRegion(code)
        || code is "RequestTimeTooSkewed" or "InvalidBucketName" or "InvalidStorageClass" or "InvalidEncryptionAlgorithmError"
        || code.StartsWith("KMS.", StringComparison.Ordinal);

    private static bool IsOfCredentials(string code) =>
        code is "InvalidAccessKeyId" or "SignatureDoesNotMatch" or "InvalidToken" or "ExpiredToken" or "UserSuspended";

    // MinIO has a code of its own.
    private static bool IsOfQuota(string code) => code is "QuotaExceeded" or "XMinioAdminBucketQuotaExceeded";

    private static bool IsOfRegion(string code) => code is "PermanentRedirect" or "TemporaryRedirect" or "AuthorizationHeaderMalformed";

    private static string Credentials(StorageSettings settings) =>
        settings.AccessKey is null
            ? "the role or profile that the AWS credential chain found, and this machine's clock"
            : "Archiver:Storage:AccessKey and Archiver:Storage:SecretKey";

    private static string Of(string? key) => key is null ? "" : $" for '{key}'";

    private static (StorageFailure Failure, string Message) FromAnswer(
        AmazonServiceException answer,
        StorageSettings settings,
        string server,
        string? key
    )
    {
        var status = (int)answer.StatusCode;
        return answer.ErrorCode switch
        {
            "InvalidObjectState" => (
                StorageFailure.NeedsThawing,
                $"'{key}' is in a storage class that cannot be read at once: restore it in the bucket '{settings.Bucket}' first."
            ),
            "NoSuchBucket" => (
                StorageFailure.Permanent,
                $"The bucket '{settings.Bucket}' does not exist at {server}; create it or correct Archiver:Storage:Bucket."
            ),
            { } code when IsOfCredentials(code) => (
                StorageFailure.Permanent,
                $"{server} refused the credentials ({answer.ErrorCode}): check {Credentials(settings)}."
            ),
            "RequestTimeTooSkewed" => (
                StorageFailure.Permanent,
                $"{server} refused the request because this machine's clock is wrong (RequestTimeTooSkewed): set the clock."
            ),
            { } code when IsOfQuota(code) => (
                StorageFailure.Permanent,
                $"The quota of the bucket '{settings.Bucket}' at {server} is used up ({code}): raise it."
            ),
            { } code when IsOfRegion(code) => (
                StorageFailure.Permanent,
                $"The bucket '{settings.Bucket}' is not in this region ({answer.ErrorCode}): "
                    + "correct Archiver:Storage:Region or Archiver:Storage:Endpoint."
            ),
            // Corrupted or cut on the way, a race with another request, or a multipart upload that was cleaned away: again from the start.
            "BadDigest"
            or "XAmzContentSHA256Mismatch"
            or "IncompleteBody"
            or "RequestTimeout"
            or "InternalError"
            or "SlowDown"
            or "ConditionalRequestConflict"
            or "OperationAborted"
            or "NoSuchUpload" => (StorageFailure.Transient, Plain()),
            _ when status is 403 or 401 => (
                StorageFailure.Permanent,
                $"{server} denied access to the bucket '{settings.Bucket}'{Of(key)} ({answer.ErrorCode}): "
                    + $"check the permissions of {(settings.AccessKey is null ? "the role or profile" : "Archiver:Storage:AccessKey")} and "
                    + "Archiver:Storage:Bucket."
            ),
            _ when status is 408 or 429 or (>= 500 and not 501) => (StorageFailure.Transient, Plain()),
            _ => (StorageFailure.Permanent, Plain()),
        };

        string Plain() => $"{server} answered {status} {answer.ErrorCode}{Of(key)}: {answer.Message}";
    }
}
