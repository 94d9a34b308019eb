using Amazon.S3;
using Amazon.S3.Model;
using Archiver.Core.Diagnostics;

namespace Archiver.Core.Storage.S3;

/// <summary>
/// Deletes versions with <c>DeleteObjects</c>, which answers for each key of its own. Where the server refuses or lacks that request, each
/// version gets one. An answer here is no proof: the caller lists again.
/// </summary>
internal sealed class S3BulkDelete(S3Bucket bucket)
{
    /// <summary>More in one request are refused.</summary>
    public const int Most = 1000;

    private readonly Dictionary<string, StorageException> _failures = new(StringComparer.Ordinal);

    /// <summary>Why a key's version was not deleted, or is not known to be.</summary>
    /// <returns>A failure without an inner exception is the server's answer about that key alone.</returns>
    public async Task<IReadOnlyDictionary<string, StorageException>> RunAsync(
        IReadOnlyCollection<KeyVersion> versions,
        CancellationToken cancellationToken
    )
    {
        // In order, so that a failure half-way is the same one each time.
        foreach (var chunk in versions.OrderBy(v => v.Key, StringComparer.Ordinal).Chunk(Most))
        {
            try
            {
                await ManyAsync(chunk, cancellationToken);
            }
            catch (StorageException exception) when (exception.Failure == StorageFailure.Transient)
            {
                // Sent or not, done or not: nobody knows yet.
                foreach (var version in chunk)
                    _failures.TryAdd(version.Key, exception);
            }
            catch (StorageException)
            {
                await OneByOneAsync(chunk, cancellationToken);
            }
        }
        return _failures;
    }

    private async Task ManyAsync(KeyVersion[] versions, CancellationToken cancellationToken)
    {
        // Quiet: only what was not deleted is named.
        var request = new DeleteObjectsRequest
        {
            BucketName = bucket.Name,
            Objects = [.. versions],
            Quiet = true,
        };
        var answer = await bucket.CallAsync(null, (s3, ct) => AnswerAsync(s3, request, ct), cancellationToken);
        foreach (var error in (answer.DeleteErrors ?? []).Where(e => e.Code is not ("NoSuchKey" or "NoSuchVersion")))
        {
            _failures.TryAdd(
                error.Key,
                error.Code
                    is "InternalError"
                        or "ServiceUnavailable"
                        or "SlowDown"
                        or "RequestTimeout"
                        or "OperationAborted"
                        or "ConditionalRequestConflict"
                    ? new StorageException(
                        StorageFailure.Transient,
                        $"'{error.Key}' in the bucket '{bucket.Name}' was not removed ({error.Code}: {error.Message})."
                    )
                    : Refused(error.Key, error.VersionId, error.Code, null)
            );
        }
    }

    // The SDK throws where some of the keys were refused; that is an answer like any other.
    private static async Task<DeleteObjectsResponse> AnswerAsync(
        IAmazonS3 s3,
        DeleteObjectsRequest request,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await s3.DeleteObjectsAsync(request, cancellationToken);
        }
        catch (DeleteObjectsException exception)
        {
            return exception.Response;
        }
    }

    private async Task OneByOneAsync(KeyVersion[] versions, CancellationToken cancellationToken)
    {
        for (var i = 0; i < versions.Length; i++)
        {
            var version = versions[i];
            var request = new DeleteObjectRequest
            {
                BucketName = bucket.Name,
                Key = version.Key,
                VersionId = version.VersionId,
            };
            try
            {
                await bucket.CallAsync(version.Key, (s3, ct) => s3.DeleteObjectAsync(request, ct), cancellationToken);
            }
            catch (StorageException exception) when (exception.Failure == StorageFailure.Permanent)
            {
                _failures.TryAdd(version.Key, Refused(version.Key, version.VersionId, S3Errors.Code(exception), exception.InnerException));
            }
            catch (StorageException exception) when (S3Errors.IsAnswer(exception))
            {
                _failures.TryAdd(version.Key, new StorageException(exception.Failure, exception.Message));
            }
            catch (StorageException exception)
            {
                // No answer: each further version would wait for its timeout.
                foreach (var untried in versions[i..])
                    _failures.TryAdd(untried.Key, exception);
                return;
            }
        }
    }

    private StorageException Refused(string key, string? version, string? code, Exception? cause) =>
        new(
            StorageFailure.Permanent,
            $"'{key}' (version {version}) in the bucket '{bucket.Name}' cannot be removed ({code}): "
                + "it is under object lock, or the permission s3:DeleteObjectVersion is missing.",
            cause
        );
}
