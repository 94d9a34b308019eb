using Archiver.Testing;
using Npgsql;

namespace Archiver.Integration.Tests.Sources;

/// <summary>A role without any right. Declare it before the database, so that its grants are gone when it is dropped.</summary>
internal sealed class TestRole : IAsyncDisposable
{
    private readonly string server;

    private TestRole(string server) => this.server = server;

    public string Name { get; } = $"test_{Guid.NewGuid():N}";

    public static async Task<TestRole> CreateAsync(TestServers servers, CancellationToken cancellationToken)
    {
        var role = new TestRole(servers.PostgresConnectionString);
        await role.ExecuteAsync($"CREATE ROLE {role.Name}", cancellationToken);
        return role;
    }

    public async ValueTask DisposeAsync() => await ExecuteAsync($"DROP ROLE {Name}", CancellationToken.None);

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(server);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
