using Archiver.Core.Settings;
using Archiver.Testing;
using Npgsql;

namespace Archiver.Integration.Tests.Roles;

/// <summary>
/// The two roles of <c>sql/roles.sql</c> under random names, dropped at the end. Declare it before the database that grants it something.
/// </summary>
internal sealed class TestRole(TestServers servers) : IAsyncDisposable
{
    private readonly string password = Guid.NewGuid().ToString("N");

    /// <summary>The archiver's role.</summary>
    public string Name { get; } = $"archiver_{Guid.NewGuid():N}";

    /// <summary>The role for applications.</summary>
    public string Reader => $"{Name}_reader";

    /// <summary>Lets the source connect as the archiver's role.</summary>
    public ArchiverSettings Use(ArchiverSettings settings) =>
        settings with
        {
            Sources = [.. settings.Sources.Select(s => s with { ConnectionString = ConnectionString(s.ConnectionString) })],
        };

    /// <summary>The same database as the archiver's role.</summary>
    public string ConnectionString(string superuser) =>
        new NpgsqlConnectionStringBuilder(superuser) { Username = Name, Password = password }.ConnectionString;

    /// <summary>Runs <c>sql/roles.sql</c> as a person does, with settings before it, and gives the role a password.</summary>
    public async Task GrantAsync(TestDatabase database, CancellationToken cancellationToken, string settings = "")
    {
        var script = await File.ReadAllTextAsync(Repository.File("sql", "roles.sql"), cancellationToken);
        await database.ExecuteAsync(
            $"""
            SET archiver.role = '{Name}';
            SET archiver.reader = '{Reader}';
            {settings}
            {script};
            ALTER ROLE {Name} PASSWORD '{password}';
            """,
            cancellationToken
        );
    }

    public async ValueTask DisposeAsync()
    {
        await using var dataSource = NpgsqlDataSource.Create(servers.PostgresConnectionString);
        await using var drop = dataSource.CreateCommand($"DROP ROLE IF EXISTS {Reader}; DROP ROLE IF EXISTS {Name}");
        await drop.ExecuteNonQueryAsync();
    }
}
