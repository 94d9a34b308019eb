using System.IO.Compression;
using Archiver.Core.Settings;

namespace Archiver.Core.Configuration;

/// <summary>Section <c>Storage</c> as written; <see cref="StorageSettings"/> has the meanings and defaults.</summary>
internal sealed class StorageOptions
{
    public string? Provider { get; set; }

    public string? Path { get; set; }

    public string? Endpoint { get; set; }

    public string? Region { get; set; }

    public string? Bucket { get; set; }

    [Secret]
    public string? AccessKey { get; set; }

    [Secret]
    public string? SecretKey { get; set; }

    public string? PathStyle { get; set; }

    public string? Prefix { get; set; }

    public string? Layout { get; set; }

    public string? BundleBytes { get; set; }

    public string? CompressionLevel { get; set; }

    public string? ServerSideEncryption { get; set; }

    public string? KmsKeyId { get; set; }

    public string? UploadConcurrency { get; set; }

    public string? Timeout { get; set; }

    public string? Verify { get; set; }

    private const string Kms = "aws:kms";
    private const string BothOrNeither = "give both or neither (then the AWS credential chain is used)";
    private static readonly string[] Encryptions = ["AES256", Kms];

    public StorageSettings Read(ValueReader read)
    {
        var defaults = new StorageSettings();
        var settings = new StorageSettings
        {
            Provider = read.Choice<StorageProvider>(Provider) ?? defaults.Provider,
            Path = read.Text(Path),
            Endpoint = ReadEndpoint(read),
            Region = read.Text(Region),
            Bucket = read.Text(Bucket) ?? defaults.Bucket,
            AccessKey = read.Secret(AccessKey),
            SecretKey = read.Secret(SecretKey),
            PathStyle = read.Flag(PathStyle) ?? defaults.PathStyle,
            Prefix = KeyPrefix.Read(read, Prefix) ?? defaults.Prefix,
            Layout = read.Choice<StorageLayout>(Layout) ?? defaults.Layout,
            BundleBytes = read.Size(BundleBytes) ?? defaults.BundleBytes,
            CompressionLevel = read.Choice<CompressionLevel>(CompressionLevel) ?? defaults.CompressionLevel,
            ServerSideEncryption = read.Text(ServerSideEncryption),
            KmsKeyId = read.Text(KmsKeyId),
            UploadConcurrency = read.Count(UploadConcurrency) ?? defaults.UploadConcurrency,
            Timeout = read.Duration(Timeout, ValueReader.LongestWait) ?? defaults.Timeout,
            Verify = read.Choice<VerifyMode>(Verify) ?? defaults.Verify,
        };
        CheckPlace(read, settings.Provider);
        CheckCredentials(read);
        CheckEncryption(read);
        return settings;
    }

    private Uri? ReadEndpoint(ValueReader read)
    {
        if (read.Text(Endpoint) is not { } text)
            return null;
        // Credentials in the URL would end up in logs; the SDK would not even use them.
        if (
            Uri.TryCreate(text, UriKind.Absolute, out var uri)
            && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
            && uri is { UserInfo: "", Query: "", Fragment: "" }
        )
            return uri;
        read.Bad(nameof(Endpoint), text, "an absolute http or https URL without credentials and query, such as https://minio:9000");
        return null;
    }

    private void CheckPlace(ValueReader read, StorageProvider provider)
    {
        if (provider == StorageProvider.S3 && Bucket is null)
            read.Missing(nameof(Bucket), "is required for provider S3");
        if (provider == StorageProvider.File && Path is null)
            read.Missing(nameof(Path), "is required for provider File");
    }

    /// <summary>Half a pair would fall through to the machine's own credentials, and objects would land under another account.</summary>
    private void CheckCredentials(ValueReader read)
    {
        if (AccessKey is not null && SecretKey is null)
            read.Missing(nameof(SecretKey), $"is required together with AccessKey; {BothOrNeither}");
        if (SecretKey is not null && AccessKey is null)
            read.Missing(nameof(AccessKey), $"is required together with SecretKey; {BothOrNeither}");
    }

    private void CheckEncryption(ValueReader read)
    {
        // Exact case: the value is sent to the store as it stands.
        if (!string.IsNullOrWhiteSpace(ServerSideEncryption) && !Encryptions.Contains(ServerSideEncryption))
            read.Bad(nameof(ServerSideEncryption), ServerSideEncryption, $"one of {string.Join(", ", Encryptions)}");
        if (KmsKeyId is not null && ServerSideEncryption != Kms)
            read.Problem(nameof(KmsKeyId), $"needs ServerSideEncryption {Kms}");
    }
}
