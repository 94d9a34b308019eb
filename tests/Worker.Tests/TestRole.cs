using System.Globalization;
using Archiver.Testing;
using Npgsql;

namespace Archiver.Worker.Tests;

/// <summary>A role of a test's own that may log in, and no more than it is granted.</summary>
internal sealed class TestRole : IAsyncDisposable
{
    private readonly TestDatabase _database;

    private TestRole(TestDatabase database)
    {
        _database = database;
        ConnectionString = new NpgsqlConnectionStringBuilder(database.ConnectionString)
        {
            Username = Name,
            Password = Password,
        }.ConnectionString;
    }

    public string Name { get; } = $"role_{Guid.NewGuid():N}";

    /// <summary>Of its own: the role's name may be said.</summary>
    public string Password { get; } = $"secret_{Guid.NewGuid():N}";

    /// <summary>Connects the role to the test's database.</summary>
    public string ConnectionString { get; }

    /// <param name="database">Where it gets its grants.</param>
    /// <param name="grants">Statements; {0} is its name.</param>
    public static async Task<TestRole> CreateAsync(TestDatabase database, string grants)
    {
        var role = new TestRole(database);
        await database.ExecuteAsync($"CREATE ROLE {role.Name} LOGIN PASSWORD '{role.Password}'");
        await database.ExecuteAsync(string.Format(CultureInfo.InvariantCulture, grants, role.Name));
        return role;
    }

    public async ValueTask DisposeAsync() => await _database.ExecuteAsync($"DROP OWNED BY {Name}; DROP ROLE {Name}");
}
