using System.IO.Compression;
using Archiver.Core.Settings;
using static Archiver.Core.Tests.Configuration.Configured;

namespace Archiver.Core.Tests.Configuration;

public sealed class StorageRulesTests
{
    [Fact]
    public void Refuses_s3_without_a_bucket() => With("Storage:Bucket", null).Refused("Storage:Bucket: is required for provider S3");

    [Fact]
    public void Refuses_a_folder_without_its_path() =>
        With("Storage:Provider", "File").Refused("Storage:Path: is required for provider File");

    [Fact]
    public void Takes_a_folder_without_a_bucket()
    {
        var storage = With("Storage:Bucket", null).And("Storage:Provider", "File").And("Storage:Path", "/archives").Settings().Storage;

        Assert.Equal((StorageProvider.File, "/archives"), (storage.Provider, storage.Path));
    }

    [Theory]
    [InlineData("AccessKey", "SecretKey")]
    [InlineData("SecretKey", "AccessKey")]
    public void Refuses_half_of_the_credentials(string given, string missing) =>
        With($"Storage:{given}", "hunter2")
            .Refused($"Storage:{missing}: is required together with {given}; give both or neither (then the AWS credential chain is used)");

    [Theory]
    [InlineData("minio:9000")]
    [InlineData("/minio")]
    [InlineData("ftp://minio")]
    [InlineData("http://")]
    [InlineData("https://minio/?x=1")]
    public void Refuses_an_endpoint_that_is_no_url(string value) =>
        With("Storage:Endpoint", value)
            .Refused(
                "Storage:Endpoint: must be an absolute http or https URL without credentials and query, such as https://minio:9000, but is "
                    + $"'{value}'"
            );

    [Fact]
    public void Refuses_credentials_in_the_endpoint_and_hides_them() =>
        With("Storage:Endpoint", "http://me:hunter2@minio:9000")
            .Refused(
                "Storage:Endpoint: must be an absolute http or https URL without credentials and query, such as https://minio:9000, but is "
                    + "a URL that holds credentials (not shown)"
            );

    [Theory]
    [InlineData("Provider", "S4", "S3, File")]
    [InlineData("Layout", "Tar", "Session, Bundle")]
    [InlineData("Verify", "Never", "ReadBack, TrialRestore")]
    [InlineData("CompressionLevel", "6", "Optimal, Fastest, NoCompression, SmallestSize")]
    [InlineData("ServerSideEncryption", "aes256", "AES256, aws:kms")]
    public void Refuses_an_unknown_word_and_lists_the_known(string key, string value, string known) =>
        With($"Storage:{key}", value).Refused($"Storage:{key}: must be one of {known}, but is '{value}'");

    [Theory]
    [InlineData(null)]
    [InlineData("AES256")]
    public void Refuses_a_kms_key_without_kms(string? encryption)
    {
        var configured = With("Storage:KmsKeyId", "alias/chat");
        (encryption is null ? configured : configured.And("Storage:ServerSideEncryption", encryption)).Refused(
            "Storage:KmsKeyId: needs ServerSideEncryption aws:kms"
        );
    }

    [Theory]
    [InlineData("Region")]
    [InlineData("Bucket")]
    [InlineData("Path")]
    [InlineData("Endpoint")]
    [InlineData("ServerSideEncryption")]
    public void Refuses_an_empty_text(string key) => With($"Storage:{key}", "").Refused($"Storage:{key}: must not be empty");

    [Theory]
    [InlineData("Timeout", "0s", "above zero")]
    [InlineData("BundleBytes", "0B", "above zero")]
    [InlineData("BundleBytes", "64", "a whole number and a unit (B, kB, MB, GB, KiB, MiB or GiB), such as 64MiB")]
    [InlineData("UploadConcurrency", "0", "a whole number from 1 to 2147483647")]
    [InlineData("PathStyle", "no", "true or false")]
    public void Refuses_what_is_no_such_value(string key, string value, string limit) =>
        With($"Storage:{key}", value).Refused($"Storage:{key}: must be {limit}, but is '{value}'");

    [Fact]
    public void Reads_every_value() =>
        Assert.Equal(
            new StorageSettings
            {
                Provider = StorageProvider.S3,
                Path = "/p",
                Endpoint = new("http://minio:9000"),
                Region = "eu-central-1",
                Bucket = "b",
                AccessKey = "a",
                SecretKey = "s",
                PathStyle = true,
                Prefix = "x/y",
                Layout = StorageLayout.Bundle,
                BundleBytes = 1 << 20,
                CompressionLevel = CompressionLevel.Fastest,
                ServerSideEncryption = "aws:kms",
                KmsKeyId = "k",
                UploadConcurrency = 3,
                Timeout = TimeSpan.FromSeconds(7),
                Verify = VerifyMode.TrialRestore,
            },
            Json(
                    """
                    { "Sources": { "main": { "ConnectionString": "Host=db", "Preset": "ended-at" } },
                      "Storage": { "Provider": "S3", "Path": "/p", "Endpoint": "http://minio:9000", "Region": "eu-central-1", "Bucket": "b",
                        "AccessKey": "a", "SecretKey": "s",
                                   "PathStyle": true, "Prefix": "x/y", "Layout": "Bundle", "BundleBytes": "1MiB",
                                     "CompressionLevel": "Fastest",
                                   "ServerSideEncryption": "aws:kms", "KmsKeyId": "k", "UploadConcurrency": 3, "Timeout": "7s",
                                     "Verify": "TrialRestore" } }
                    """
                )
                .Settings()
                .Storage
        );
}
