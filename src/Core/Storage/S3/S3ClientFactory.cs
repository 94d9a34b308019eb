using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;

namespace Archiver.Core.Storage.S3;

/// <summary>Makes the S3 client with the settings that were measured to work on AWS and on Ceph alike.</summary>
internal static class S3ClientFactory
{
    private const string DefaultRegion = "us-east-1";

    /// <summary>A client for the settings; it sends nothing yet.</summary>
    /// <exception cref="StorageException">Neither an endpoint nor a region is known.</exception>
    public static AmazonS3Client Create(StorageSettings settings, HttpClientFactory http, TimeProvider time)
    {
        var config = new AmazonS3Config
        {
            ForcePathStyle = settings.PathStyle,
            // The SDK's default adds a checksum trailer to each put, which Ceph 16 refuses with XAmzContentSHA256Mismatch.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            // Retries are ResilientArchiveStore's: the SDK's would hide a first answer, and stop without notice in an outage.
            MaxErrorRetry = 0,
            MaxStaleConnectionRetries = 0,
            ThrottleRetries = false,
            BufferSize = 8 * 1024,
            HttpClientFactory = http,
        };
        if (settings.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint.AbsoluteUri;
            config.AuthenticationRegion = settings.Region ?? DefaultRegion;
        }
        else if (settings.Region is { } region)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }
        else if (config.RegionEndpoint is null)
        {
            throw new StorageException(
                StorageFailure.Permanent,
                "No AWS region is known: set Archiver:Storage:Region, or Archiver:Storage:Endpoint for another S3 server."
            );
        }
        config.EndpointProvider = new S3EndpointCache(config.EndpointProvider);
        return settings.AccessKey is { } key
            ? new AmazonS3Client(new BasicAWSCredentials(key, settings.SecretKey), config)
            : new AmazonS3Client(new S3ChainCredentials(config, settings.Timeout, time), config);
    }
}
