using Archiver.Testing;
using Testcontainers.Minio;
using Testcontainers.PostgreSql;

namespace Archiver.Containers.Tests;

/// <summary>
/// PostgreSQL and MinIO in containers for all tests of this assembly. Their addresses go where <see cref="TestServers"/> looks first, so
/// that everything the other tests are made of works here unchanged.
/// </summary>
public sealed class ContainerServers : IAsyncLifetime
{
    private readonly PostgreSqlContainer _postgres = new PostgreSqlBuilder(Image("ARCHIVER_POSTGRES_IMAGE", "postgres:17")).Build();

    private readonly MinioContainer _minio = new MinioBuilder(Image("ARCHIVER_MINIO_IMAGE", "minio/minio:RELEASE.2025-04-22T22-12-26Z")).Build();

    /// <summary>The servers as the other tests know them.</summary>
    public TestServers Servers { get; } = new();

    /// <summary>Starts both containers.</summary>
    public async ValueTask InitializeAsync()
    {
        await Task.WhenAll(_postgres.StartAsync(), _minio.StartAsync());
        Environment.SetEnvironmentVariable("ARCHIVER_TEST_POSTGRES", _postgres.GetConnectionString());
        Environment.SetEnvironmentVariable("ARCHIVER_TEST_S3_ENDPOINT", _minio.GetConnectionString());
        Environment.SetEnvironmentVariable("ARCHIVER_TEST_S3_ACCESS_KEY", _minio.GetAccessKey());
        Environment.SetEnvironmentVariable("ARCHIVER_TEST_S3_SECRET_KEY", _minio.GetSecretKey());
        await Servers.InitializeAsync();
    }

    /// <summary>Removes them.</summary>
    public async ValueTask DisposeAsync()
    {
        await Servers.DisposeAsync();
        await _minio.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    private static string Image(string variable, string otherwise) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } image ? image : otherwise;
}
