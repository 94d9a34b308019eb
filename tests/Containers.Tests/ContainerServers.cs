using Archiver.Testing;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Containers;
using Testcontainers.PostgreSql;

namespace Archiver.Containers.Tests;

/// <summary>
/// PostgreSQL and an S3 server in containers for all tests of this assembly. Their addresses go where <see cref="TestServers"/> looks first, so
/// that everything the other tests are made of works here unchanged.
/// </summary>
public sealed class ContainerServers : IAsyncLifetime
{
    /// <summary>The image of an S3 server that listens on <see cref="S3Port"/> and knows these keys.</summary>
    private const string S3Image = "archiver-s3", AccessKey = "test-access", SecretKey = "test-secret";

    private const ushort S3Port = 8000;

    private readonly PostgreSqlContainer _postgres = new PostgreSqlBuilder(Image("ARCHIVER_POSTGRES_IMAGE", "postgres:17")).Build();

    private readonly IContainer _s3 = new ContainerBuilder(Image("ARCHIVER_S3_IMAGE", S3Image))
        .WithPortBinding(S3Port, assignRandomHostPort: true)
        .WithEnvironment("RGW_ACCESS", AccessKey)
        .WithEnvironment("RGW_SECRET", SecretKey)
        .WithWaitStrategy(Wait.ForUnixContainer().UntilHttpRequestIsSucceeded(request => request.ForPort(S3Port)))
        .Build();

    /// <summary>The servers as the other tests know them.</summary>
    public TestServers Servers { get; } = new();

    /// <summary>Starts both containers.</summary>
    /// <exception cref="InvalidOperationException">The S3 server's container did not start; the message says how to name an image.</exception>
    public async ValueTask InitializeAsync()
    {
        await Task.WhenAll(_postgres.StartAsync(), StartS3Async());
        Environment.SetEnvironmentVariable("ARCHIVER_TEST_POSTGRES", _postgres.GetConnectionString());
        Environment.SetEnvironmentVariable("ARCHIVER_TEST_S3_ENDPOINT", $"http://{_s3.Hostname}:{_s3.GetMappedPublicPort(S3Port)}");
        Environment.SetEnvironmentVariable("ARCHIVER_TEST_S3_ACCESS_KEY", AccessKey);
        Environment.SetEnvironmentVariable("ARCHIVER_TEST_S3_SECRET_KEY", SecretKey);
        await Servers.InitializeAsync();
    }

    /// <summary>Removes them.</summary>
    public async ValueTask DisposeAsync()
    {
        await Servers.DisposeAsync();
        await _s3.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    private async Task StartS3Async()
    {
        try
        {
            await _s3.StartAsync();
        }
        catch (Exception e)
        {
            throw new InvalidOperationException(
                $"No S3 server starts from the image '{_s3.Image.FullName}'. Name one in ARCHIVER_S3_IMAGE: it listens on port {S3Port} and takes its keys from RGW_ACCESS and RGW_SECRET.", e);
        }
    }

    private static string Image(string variable, string otherwise) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } image ? image : otherwise;
}
