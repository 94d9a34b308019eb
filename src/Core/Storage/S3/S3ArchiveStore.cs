using Amazon.S3;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Spool;

namespace Archiver.Core.Storage.S3;

/// <summary>
/// A bucket of any S3-compatible server. It sends each request once; retries are <see cref="ResilientArchiveStore"/>'s. A body that is
/// being read throws <see cref="StorageException"/> too when it is cut off or stops arriving.
/// </summary>
internal sealed class S3ArchiveStore(StorageSettings settings, TimeProvider time, Action<Uri>? sent = null) : IArchiveStore, IDisposable
{
    /// <summary>Largest object in bytes that goes in one request; above it the upload is in parts.</summary>
    public const long SinglePutLimit = 16L << 20;

    /// <summary>Of every object. No Content-Encoding: clients would unpack it on the way and hashes would not match.</summary>
    public const string ContentType = "application/gzip";

    private readonly S3Bucket _bucket = new(settings, time, sent);
    private S3OverwriteProbe? _probe;

    /// <inheritdoc/>
    public string Location => $"s3://{settings.Bucket}";

    private S3OverwriteProbe Probe => LazyInitializer.EnsureInitialized(ref _probe, () => new S3OverwriteProbe(_bucket));

    private S3Reader Reader => new(_bucket);

    /// <summary>Null leaves the bucket's default.</summary>
    public static ServerSideEncryptionMethod? Encryption(StorageSettings settings) =>
        settings.ServerSideEncryption is { } method ? ServerSideEncryptionMethod.FindValue(method) : null;

    /// <inheritdoc/>
    public Task<Stream?> OpenAsync(ObjectName name, CancellationToken cancellationToken) =>
        Reader.OpenAsync(name, 0, null, cancellationToken);

    /// <inheritdoc/>
    public Task<Stream?> OpenRangeAsync(ObjectName name, long offset, long length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        return Reader.OpenAsync(name, offset, length, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<ObjectHead?> HeadAsync(ObjectName name, CancellationToken cancellationToken) => Reader.HeadAsync(name, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<ListedObject> ListAsync(string prefix, CancellationToken cancellationToken) =>
        Reader.ListAsync(prefix, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<ListedVersions> ListVersionsAsync(string prefix, CancellationToken cancellationToken) =>
        S3VersionListing.ListAsync(_bucket, prefix, cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> RefusesOverwriteAsync(string prefix, long length, CancellationToken cancellationToken)
    {
        var multipart = length > SinglePutLimit;
        try
        {
            return await Probe.RunAsync(prefix, multipart, cancellationToken);
        }
        // A store that takes no small object in one request takes none. One that takes none by parts may take others.
        catch (StorageException e) when (multipart && S3Errors.RefusalOf(e) is { } refusal)
        {
            throw refusal;
        }
    }

    /// <inheritdoc/>
    public async Task<PutResult> PutIfAbsentAsync(
        string key,
        IObjectContent content,
        ObjectMetadata metadata,
        CancellationToken cancellationToken
    )
    {
        var multipart = content.Length > SinglePutLimit;
        var refuses = Probe.Known(key, multipart);
        if (refuses != true && await SettledAsync(key, metadata, cancellationToken) is { } before)
            return before;
        try
        {
            // A server that was seen to ignore or reject the condition is not sent it.
            var conditional = refuses != false;
            var (version, proven) = await SendAsync(key, content, metadata, multipart, conditional, cancellationToken);
            if (proven)
                return new PutResult(true, version);
            // Any 2xx looks like success to the SDK, also a captive portal's page. Where the ETag is not the MD5, ask for the object.
            return await SettledAsync(key, metadata, cancellationToken) is { Stored: true } after
                ? after with
                {
                    VersionId = version ?? after.VersionId,
                }
                : throw new StorageException(
                    StorageFailure.Transient,
                    $"{S3Errors.Server(settings)} accepted '{key}' but does not have it: something between may answer in its place."
                );
        }
        catch (StorageException e) when (S3Errors.IsConditionFailed(e))
        {
            return await SettledAsync(key, metadata, cancellationToken)
                ?? throw new StorageException(
                    StorageFailure.Transient,
                    $"'{key}' was refused because it exists, and then it was absent.",
                    e
                );
        }
    }

    /// <inheritdoc/>
    public Task<RemovalOutcome> DeleteAllVersionsAsync(IReadOnlyCollection<ObjectName> names, CancellationToken cancellationToken) =>
        new S3Removal(_bucket, names).RunAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<ExpiryRule>> ListExpiryRulesAsync(CancellationToken cancellationToken) =>
        S3ExpiryRules.ListAsync(_bucket, cancellationToken);

    /// <inheritdoc/>
    public Task<int> AbortUploadsAsync(
        string prefix,
        TimeSpan age,
        Func<string, CancellationToken, Task<bool>> isOurs,
        CancellationToken cancellationToken
    ) => new S3Cleanup(_bucket, time).AbortUploadsAsync(prefix, age, isOurs, cancellationToken);

    public void Dispose()
    {
        _probe?.Dispose();
        _bucket.Dispose();
    }

    // The version written, and whether the answer proves that it is our bytes. The server checked those of each part.
    private async Task<(string? VersionId, bool Proven)> SendAsync(
        string key,
        IObjectContent content,
        ObjectMetadata metadata,
        bool multipart,
        bool conditional,
        CancellationToken cancellationToken
    )
    {
        try
        {
            if (!multipart)
                return await S3SinglePut.SendAsync(_bucket, key, content, metadata, conditional, cancellationToken);
            var upload = await S3MultipartUpload.BeginAsync(_bucket, key, content, metadata, cancellationToken);
            return (await upload.CompleteAsync(conditional, cancellationToken), true);
        }
        catch (StorageException e) when (S3Errors.RefusalOf(e) is { } refusal)
        {
            throw refusal;
        }
    }

    // Whose object is under the key: our own put whose answer was lost, or another one; null when there is none.
    private async Task<PutResult?> SettledAsync(string key, ObjectMetadata metadata, CancellationToken cancellationToken)
    {
        if (await _bucket.HeadOrNullAsync(new ObjectName(key), cancellationToken) is not { } head)
            return null;
        return head.Metadata.GetValueOrDefault(ObjectMetadata.AttemptKey) == metadata.Attempt
            ? new PutResult(true, head.Name.VersionId)
            : PutResult.AlreadyExists;
    }
}
