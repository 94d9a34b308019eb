using System.Reflection;
using Amazon.Runtime.Endpoints;
using Amazon.S3.Endpoints;
using Amazon.S3.Internal;
using Archiver.Core.Storage.S3;

namespace Archiver.Core.Tests.Storage;

public sealed class S3EndpointCacheTests
{
    private readonly CountingProvider _sdk = new();

    [Fact]
    public void Gives_what_the_SDK_resolves_for_every_bucket_operation_and_key()
    {
        var cache = new S3EndpointCache(_sdk);
        string[] buckets =
        [
            "archive",
            "archive.with.dots",
            "archive--use1-az4--x-s3",
            "other--use1-az4--x-s3",
            "arn:aws:s3:us-east-1:123456789012:accesspoint:archive",
        ];
        string?[] keys = [null, "a", "2026/01/b c+ü.json.gz", "?x=/../y"];
        var kinds =
            from bucket in buckets
            from control in (bool?[])[null, true]
            from session in (bool?[])[null, true]
            where control is null || !bucket.StartsWith("arn", StringComparison.Ordinal)
            select (bucket, control, session);
        foreach (var (bucket, control, session) in kinds)
        {
            foreach (var key in keys)
            {
                var expected = new AmazonS3EndpointProvider().ResolveEndpoint(Parameters(key));
                var given = cache.ResolveEndpoint(Parameters(key));
                Assert.Equal(expected.URL, given.URL);
                Assert.Equal(Text(expected.Attributes), Text(given.Attributes));
                Assert.Equal(expected.Headers, given.Headers);
            }

            S3EndpointParameters Parameters(string? key)
            {
                var parameters = In("us-east-1");
                (parameters.Bucket, parameters.UseS3ExpressControlEndpoint, parameters.DisableS3ExpressSessionAuth, parameters.Key) = (
                    bucket,
                    control,
                    session,
                    key
                );
                return parameters;
            }
        }
        Assert.Equal(kinds.Count(), _sdk.Asked);
    }

    /// <summary>A parameter that a later SDK adds may differ from request to request; whoever updates it decides.</summary>
    [Fact]
    public void Knows_every_parameter_of_the_SDK() =>
        Assert.Equal(
            [
                "Accelerate",
                "Bucket",
                "CopySource",
                "DisableAccessPoints",
                "DisableMultiRegionAccessPoints",
                "DisableS3ExpressSessionAuth",
                "Endpoint",
                "ForcePathStyle",
                "Key",
                "Prefix",
                "Region",
                "UseArnRegion",
                "UseDualStack",
                "UseFIPS",
                "UseGlobalEndpoint",
                "UseObjectLambdaEndpoint",
                "UseS3ExpressControlEndpoint",
            ],
            typeof(S3EndpointParameters)
                .GetProperties(BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Public)
                .Select(p => p.Name)
                .Order(StringComparer.Ordinal)
        );

    [Fact]
    public void Asks_again_when_a_redirect_names_another_region()
    {
        var cache = new S3EndpointCache(_sdk);
        Assert.Contains("eu-central-1", cache.ResolveEndpoint(In("eu-central-1")).URL, StringComparison.Ordinal);
        Assert.Contains("eu-west-1", cache.ResolveEndpoint(In("eu-west-1")).URL, StringComparison.Ordinal);
    }

    [Fact]
    public void Keeps_its_answer_when_the_SDK_changes_the_one_it_got()
    {
        var cache = new S3EndpointCache(_sdk);
        var before = cache.ResolveEndpoint(In("eu-central-1"));
        var url = before.URL;
        before.URL += "/";
        Assert.Equal(url, cache.ResolveEndpoint(In("eu-central-1")).URL);
    }

    private static S3EndpointParameters In(string region) =>
        new()
        {
            Bucket = "archive",
            Region = region,
            ForcePathStyle = false,
            UseFIPS = false,
            UseDualStack = false,
            Accelerate = false,
            UseGlobalEndpoint = false,
            DisableMultiRegionAccessPoints = false,
            UseArnRegion = false,
        };

    private static string Text(object? value) => System.Text.Json.JsonSerializer.Serialize(value);

    private sealed class CountingProvider : IEndpointProvider
    {
        private readonly AmazonS3EndpointProvider _provider = new();

        public int Asked { get; private set; }

        public Endpoint ResolveEndpoint(EndpointParameters parameters)
        {
            Asked++;
            return _provider.ResolveEndpoint(parameters);
        }
    }
}
