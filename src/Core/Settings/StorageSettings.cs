using System.IO.Compression;

namespace Archiver.Core.Settings;

/// <summary>Which store.</summary>
public enum StorageProvider
{
    /// <summary>Any S3-compatible server.</summary>
    S3,

    /// <summary>A folder.</summary>
    File,
}

/// <summary>How sessions become objects.</summary>
public enum StorageLayout
{
    /// <summary>One object a session.</summary>
    Session,

    /// <summary>Many sessions in one object, one gzip member each.</summary>
    Bundle,
}

/// <summary>What verification does after the upload.</summary>
public enum VerifyMode
{
    /// <summary>Read every byte back, compare hashes, gunzip, parse, count.</summary>
    ReadBack,

    /// <summary>Also load the document into temporary tables and compare with the live rows inside the deleting transaction.</summary>
    TrialRestore,
}

/// <summary>Validated settings of section <c>Archiver:Storage</c>.</summary>
public sealed record StorageSettings
{
    public StorageProvider Provider { get; init; } = StorageProvider.S3;

    /// <summary>Root folder of provider <see cref="StorageProvider.File"/>.</summary>
    public string? Path { get; init; }

    /// <summary>URL of an S3-compatible server; null for AWS itself.</summary>
    public Uri? Endpoint { get; init; }

    public string? Region { get; init; }

    /// <summary>Required for S3.</summary>
    public string Bucket { get; init; } = "";

    /// <summary>Both keys or neither: then the AWS credential chain.</summary>
    public string? AccessKey { get; init; }

    public string? SecretKey { get; init; }

    public bool PathStyle { get; init; }

    /// <summary>Prefix of all keys, without slashes at its ends.</summary>
    public string Prefix { get; init; } = "chat_archives";

    public StorageLayout Layout { get; init; } = StorageLayout.Session;

    /// <summary>A bundle is closed when it reaches this many compressed bytes.</summary>
    public long BundleBytes { get; init; } = 64L << 20;

    public CompressionLevel CompressionLevel { get; init; } = CompressionLevel.Optimal;

    /// <summary>Null, <c>AES256</c> or <c>aws:kms</c>.</summary>
    public string? ServerSideEncryption { get; init; }

    public string? KmsKeyId { get; init; }

    /// <summary>Objects in flight at once.</summary>
    public int UploadConcurrency { get; init; } = 16;

    /// <summary>Of one request, its body included.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    public VerifyMode Verify { get; init; } = VerifyMode.ReadBack;
}
