using Amazon.Runtime.Endpoints;
using Amazon.S3.Endpoints;
using Amazon.S3.Internal;
using Archiver.Core.Storage;

namespace Archiver.Core.Tests.Storage;

public sealed class S3EndpointCacheTests
{
    private readonly CountingProvider _sdk = new();

    public static TheoryData<string, string?, string, bool, bool> Kinds => new()
    {
        { "archive", null, "eu-central-1", false, false },
        { "archive.with.dots", null, "eu-central-1", false, false },
        { "archive", "http://127.0.0.1:9000/", "us-east-1", true, false },
        { "archive--use1-az4--x-s3", null, "us-east-1", false, false },
        { "archive--use1-az4--x-s3", null, "us-east-1", false, true },
        { "arn:aws:s3:eu-central-1:123456789012:accesspoint:archive", null, "eu-central-1", false, false },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Gives_what_the_SDK_resolves_for_every_key(string bucket, string? server, string region, bool pathStyle, bool control)
    {
        var cache = new S3EndpointCache(_sdk);
        foreach (var key in (string?[])[null, "a", "2026/01/b c+ü.json.gz", "?x=/../y"])
        {
            var expected = new AmazonS3EndpointProvider().ResolveEndpoint(Parameters(key));
            var given = cache.ResolveEndpoint(Parameters(key));
            Assert.Equal(expected.URL, given.URL);
            Assert.Equal(Text(expected.Attributes), Text(given.Attributes));
            Assert.Equal(expected.Headers, given.Headers);
        }
        Assert.Equal(1, _sdk.Asked);

        S3EndpointParameters Parameters(string? key) => new()
        {
            Bucket = bucket, Region = region, Endpoint = server, ForcePathStyle = pathStyle, UseS3ExpressControlEndpoint = control, Key = key,
            UseFIPS = false, UseDualStack = false, Accelerate = false, UseGlobalEndpoint = false, DisableMultiRegionAccessPoints = false, UseArnRegion = false,
        };
    }

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

    private static S3EndpointParameters In(string region) => new()
    {
        Bucket = "archive", Region = region, ForcePathStyle = false, UseFIPS = false, UseDualStack = false, Accelerate = false, UseGlobalEndpoint = false, UseArnRegion = false,
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
