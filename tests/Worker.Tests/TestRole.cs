using System.Globalization;
using Archiver.Testing;
using Npgsql;

namespace Archiver.Worker.Tests;

/// <summary>A role of a test's own that may log in, and no more than it is granted.</summary>
internal sealed class TestRole : IAsyncDisposable
{
    private readonly TestDatabase _database;

    private TestRole(TestDatabase database, string name)
    {
        _database = database;
        Name = name;
        ConnectionString = new NpgsqlConnectionStringBuilder(database.ConnectionString)
        {
            Username = name,
            Password = name,
        }.ConnectionString;
    }

    public string Name { get; }

    /// <summary>Connects the role to the test's database.</summary>
    public string ConnectionString { get; }

    /// <param name="database">Where it gets its grants.</param>
    /// <param name="grants">Statements; {0} is its name.</param>
    public static async Task<TestRole> CreateAsync(TestDatabase database, string grants)
    {
        var role = new TestRole(database, $"role_{Guid.NewGuid():N}");
        await database.ExecuteAsync($"CREATE ROLE {role.Name} LOGIN PASSWORD '{role.Name}'");
        await database.ExecuteAsync(string.Format(CultureInfo.InvariantCulture, grants, role.Name));
        return role;
    }

    public async ValueTask DisposeAsync() => await _database.ExecuteAsync($"DROP OWNED BY {Name}; DROP ROLE {Name}");
}
