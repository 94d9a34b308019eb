using System.Globalization;
using Amazon.S3;
using Amazon.S3.Model;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;

namespace Archiver.Core.Storage.S3;

/// <summary>One bucket and how to call it: every request goes through <see cref="CallAsync"/>, so every error is translated.</summary>
internal sealed class S3Bucket : IDisposable
{
    private readonly S3HttpClientFactory _http;
    private readonly AmazonS3Client _client;

    public S3Bucket(StorageSettings settings, TimeProvider time, Action<Uri>? sent = null)
    {
        Settings = settings;
        _http = new S3HttpClientFactory(settings.Bucket, settings.Timeout, time, sent);
        _client = S3ClientFactory.Create(settings, _http, time);
    }

    public StorageSettings Settings { get; }

    public string Name => Settings.Bucket;

    /// <summary>Sends one request. Cancellation by the caller passes through; everything else that is the store's is translated.</summary>
    /// <exception cref="StorageException">The store failed.</exception>
    public async Task<T> CallAsync<T>(string? key, Func<IAmazonS3, CancellationToken, Task<T>> request, CancellationToken cancellationToken)
    {
        try
        {
            return await request(_client, cancellationToken);
        }
        catch (Exception e)
        {
            // A cancelled request may surface as a broken connection; the caller asked for it and wants no failure.
            cancellationToken.ThrowIfCancellationRequested();
            if (S3Errors.Translate(e, Settings, key) is { } known)
                throw known;
            throw;
        }
    }

    /// <summary>HEAD; null on any 404, which also a missing bucket gives. For callers that go on with a request that tells.</summary>
    public async Task<ObjectHead?> HeadOrNullAsync(ObjectName name, CancellationToken cancellationToken)
    {
        var request = new GetObjectMetadataRequest
        {
            BucketName = Name,
            Key = name.Key,
            VersionId = name.VersionId,
        };
        try
        {
            var head = await CallAsync(name.Key, (s3, ct) => s3.GetObjectMetadataAsync(request, ct), cancellationToken);
            // Who asks for the version without an id, because a delete marker is above it, has to go on asking for it.
            return new ObjectHead(
                name with
                {
                    VersionId = Version(head.VersionId) ?? (name.VersionId == "null" ? "null" : null),
                },
                head.ContentLength,
                Pairs(head.Metadata),
                Utc(head.LastModified)
            );
        }
        catch (StorageException e) when (S3Errors.IsAmbiguousNotFound(e))
        {
            return null;
        }
    }

    /// <summary>Buckets without versions answer nothing, an empty string or the word null.</summary>
    public static string? Version(string? id) => id is null or "" or "null" ? null : id;

    public static DateTimeOffset Utc(DateTime? time) => time is { } known ? new DateTimeOffset(known.ToUniversalTime()) : default;

    public void Dispose()
    {
        _client.Dispose();
        _http.Dispose();
    }

    private static Dictionary<string, string> Pairs(MetadataCollection metadata)
    {
        const string prefix = "x-amz-meta-";
        return metadata.Keys.ToDictionary(
            k => (k.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) ? k[prefix.Length..] : k).ToLower(CultureInfo.InvariantCulture),
            k => metadata[k],
            StringComparer.Ordinal
        );
    }
}
