using Archiver.Testing;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Containers;
using Testcontainers.PostgreSql;

namespace Archiver.Containers.Tests;

/// <summary>
/// PostgreSQL and an S3 server in containers for all tests of this assembly. Their addresses go where <see cref="TestServers"/> looks
/// first, so that everything the other tests are made of works here unchanged.
/// </summary>
public sealed class ContainerServers : IAsyncLifetime
{
    private const string AccessKey = "test-access",
        SecretKey = "test-secret";

    private const ushort S3Port = 8000;

    private readonly PostgreSqlContainer _postgres = new PostgreSqlBuilder(Image("ARCHIVER_POSTGRES_IMAGE", "postgres:17")).Build();

    private IContainer? _s3;

    /// <summary>The servers as the other tests know them.</summary>
    public TestServers Servers { get; } = new();

    /// <summary>
    /// Starts both containers. The S3 server's image is built before, where <c>ARCHIVER_S3_IMAGE</c> names none: minutes, the first time.
    /// </summary>
    public async ValueTask InitializeAsync()
    {
        var postgres = _postgres.StartAsync();
        _s3 = new ContainerBuilder(Image("ARCHIVER_S3_IMAGE", "") is { Length: > 0 } named ? named : await BuildS3Async())
            .WithPortBinding(S3Port, assignRandomHostPort: true)
            .WithEnvironment("RGW_ACCESS", AccessKey)
            .WithEnvironment("RGW_SECRET", SecretKey)
            .WithEnvironment("RGW_STORE", "memstore")
            .WithWaitStrategy(Wait.ForUnixContainer().UntilContainerIsHealthy())
            .Build();
        await Task.WhenAll(postgres, _s3.StartAsync());
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
        if (_s3 is not null)
            await _s3.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    /// <summary>Builds the image that docker-compose.yml uses too. It stays, so that the next run is quick.</summary>
    private static async Task<string> BuildS3Async()
    {
        var image = new ImageFromDockerfileBuilder()
            .WithName("archiver-s3")
            .WithDockerfileDirectory(Path.GetDirectoryName(Repository.File("tests/Testing/servers/rgw.sh")))
            .WithDockerfile("s3/Dockerfile")
            .WithCleanUp(false)
            .WithDeleteIfExists(false)
            .Build();
        await image.CreateAsync();
        return image.FullName;
    }

    private static string Image(string variable, string otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } image ? image : otherwise;
}
