using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Archiver.Core.Settings;

namespace Archiver.Testing;

/// <summary>An empty bucket of a test's own, removed with everything in it at the end.</summary>
public sealed class TestBucket : IAsyncDisposable
{
    private readonly S3Address address;
    private readonly PlainHttpClientFactory http = new();
    private bool removes = true;

    private TestBucket(S3Address address)
    {
        this.address = address;
        Client = new AmazonS3Client(
            new BasicAWSCredentials(address.AccessKey, address.SecretKey),
            new AmazonS3Config
            {
                ServiceURL = address.Endpoint.ToString(),
                ForcePathStyle = true,
                AuthenticationRegion = "us-east-1",
                RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
                ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
                // Tests want the first error, not the last after half a minute; the stale retries come on top of the others.
                MaxErrorRetry = 0,
                MaxStaleConnectionRetries = 0,
                HttpClientFactory = http,
            }
        );
    }

    /// <summary>Its random name.</summary>
    public string Name { get; } = $"test-{Guid.NewGuid():N}";

    /// <summary>The SDK's client, without the product's wrapping.</summary>
    public IAmazonS3 Client { get; }

    /// <summary>Settings under which the product uses this bucket.</summary>
    public StorageSettings Settings =>
        new()
        {
            Endpoint = address.Endpoint,
            Bucket = Name,
            AccessKey = address.AccessKey,
            SecretKey = address.SecretKey,
            PathStyle = true,
        };

    /// <summary>Creates one on the shared server.</summary>
    public static Task<TestBucket> CreateAsync(
        TestServers servers,
        CancellationToken cancellationToken,
        bool versioned = false,
        bool objectLock = false
    ) => CreateAsync(servers.S3, cancellationToken, versioned, objectLock);

    /// <summary>Creates one that goes with its server, which may be down at the end.</summary>
    public static async Task<TestBucket> CreateAsync(S3Gateway gateway, CancellationToken cancellationToken)
    {
        var bucket = await CreateAsync(gateway.Address, cancellationToken);
        bucket.removes = false;
        return bucket;
    }

    /// <summary>Creates one.</summary>
    /// <param name="address">The server.</param>
    /// <param name="cancellationToken">Gives up the creation.</param>
    /// <param name="versioned">Keep every version; such a bucket ignores conditional puts.</param>
    /// <param name="objectLock">Allow retention and legal holds on objects; implies versions.</param>
    public static async Task<TestBucket> CreateAsync(
        S3Address address,
        CancellationToken cancellationToken,
        bool versioned = false,
        bool objectLock = false
    )
    {
        var bucket = new TestBucket(address);
        var request = new PutBucketRequest { BucketName = bucket.Name, ObjectLockEnabledForBucket = objectLock };
        await bucket.Client.PutBucketAsync(request, cancellationToken);
        if (versioned)
        {
            var versioning = new S3BucketVersioningConfig { Status = VersionStatus.Enabled };
            await bucket.Client.PutBucketVersioningAsync(
                new PutBucketVersioningRequest { BucketName = bucket.Name, VersioningConfig = versioning },
                cancellationToken
            );
        }
        return bucket;
    }

    /// <summary>Stores bytes under a key, over whatever is there.</summary>
    public async Task PutRawAsync(string key, byte[] content, CancellationToken cancellationToken = default)
    {
        using var stream = new MemoryStream(content, writable: false);
        var request = new PutObjectRequest
        {
            BucketName = Name,
            Key = key,
            InputStream = stream,
            UseChunkEncoding = false,
        };
        await Client.PutObjectAsync(request, cancellationToken);
    }

    /// <summary>The bytes under a key.</summary>
    public async Task<byte[]> GetRawAsync(string key, CancellationToken cancellationToken = default)
    {
        using var response = await Client.GetObjectAsync(Name, key, cancellationToken);
        using var content = new MemoryStream();
        await response.ResponseStream.CopyToAsync(content, cancellationToken);
        return content.ToArray();
    }

    /// <summary>Every key with a prefix, in order.</summary>
    public async Task<IReadOnlyList<string>> ListKeysAsync(string prefix = "", CancellationToken cancellationToken = default)
    {
        List<string> keys = [];
        var pages = Client.Paginators.ListObjectsV2(new ListObjectsV2Request { BucketName = Name, Prefix = prefix });
        await foreach (var found in pages.S3Objects.WithCancellation(cancellationToken))
            keys.Add(found.Key);
        return keys;
    }

    /// <summary>
    /// Removes every version and the bucket. What is locked in compliance mode nobody can remove: it stays until the server ends.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (removes)
            await new BucketRemoval(Client, Name).RunAsync();
        Client.Dispose();
        http.Dispose();
    }
}
