using Npgsql;

namespace Archiver.Testing;

/// <summary>An empty database of a test's own, dropped with force at the end.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    // Every value's own full text, whatever the server's defaults are.
    private const string LosslessText = """
        SET TimeZone = 'UTC';
        SET DateStyle = 'ISO';
        SET IntervalStyle = 'postgres';
        SET extra_float_digits = 1;
        SET bytea_output = 'hex';
        """;

    private readonly string server;
    private readonly string name;

    private TestDatabase(string server, string name)
    {
        this.server = server;
        this.name = name;
        ConnectionString = new NpgsqlConnectionStringBuilder(server) { Database = name }.ConnectionString;
        DataSource = NpgsqlDataSource.Create(ConnectionString);
    }

    /// <summary>Connects the superuser to this database.</summary>
    public string ConnectionString { get; }

    /// <summary>Pooled connections to this database.</summary>
    public NpgsqlDataSource DataSource { get; }

    /// <summary>Creates one with a random name on the shared server.</summary>
    public static Task<TestDatabase> CreateAsync(TestServers servers, CancellationToken cancellationToken) =>
        CreateAsync(servers.PostgresConnectionString, cancellationToken);

    /// <summary>Creates one with a random name on the server of a connection string, such as a <see cref="PostgresServer"/>'s.</summary>
    public static async Task<TestDatabase> CreateAsync(string server, CancellationToken cancellationToken)
    {
        var name = $"test_{Guid.NewGuid():N}";
        await using var dataSource = NpgsqlDataSource.Create(Unpooled(server));
        // template1 may have a visitor, who would make this fail.
        await using var create = dataSource.CreateCommand($"CREATE DATABASE {name} TEMPLATE template0");
        await create.ExecuteNonQueryAsync(cancellationToken);
        return new TestDatabase(server, name);
    }

    /// <summary>A copy of a database beside it, made with it as the template; ends whoever is connected to the original.</summary>
    public static async Task<TestDatabase> CopyAsync(TestDatabase original, CancellationToken cancellationToken)
    {
        var name = $"test_{Guid.NewGuid():N}";
        await using var dataSource = NpgsqlDataSource.Create(Unpooled(original.server));
        await using var end = dataSource.CreateCommand($"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{original.name}'");
        await end.ExecuteNonQueryAsync(cancellationToken);
        await using var create = dataSource.CreateCommand($"CREATE DATABASE {name} TEMPLATE {original.name}");
        await create.ExecuteNonQueryAsync(cancellationToken);
        original.DataSource.Clear();
        return new TestDatabase(original.server, name);
    }

    /// <summary>Runs one or more statements; returns the rows changed.</summary>
    public async Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken = default)
    {
        await using var command = DataSource.CreateCommand(sql);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The first value of the first row; default where that is NULL or there is no row.</summary>
    public async Task<T?> ScalarAsync<T>(string sql, CancellationToken cancellationToken = default)
    {
        await using var command = DataSource.CreateCommand(sql);
        return await command.ExecuteScalarAsync(cancellationToken) is T value ? value : default;
    }

    /// <summary>A query's rows in COPY's text format, every value in full: equal text means equal rows. Order the query.</summary>
    public async Task<string> CopyOutAsync(string query, CancellationToken cancellationToken = default)
    {
        await using var connection = await DataSource.OpenConnectionAsync(cancellationToken);
        await using (var settings = new NpgsqlCommand(LosslessText, connection))
            await settings.ExecuteNonQueryAsync(cancellationToken);
        using var reader = await connection.BeginTextExportAsync($"COPY ({query}) TO STDOUT", cancellationToken);
        return await reader.ReadToEndAsync(cancellationToken);
    }

    /// <summary>Drops the database under whoever still uses it.</summary>
    public async ValueTask DisposeAsync()
    {
        await DataSource.DisposeAsync();
        await using var dataSource = NpgsqlDataSource.Create(Unpooled(server));
        await using var drop = dataSource.CreateCommand($"DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        await drop.ExecuteNonQueryAsync();
    }

    private static string Unpooled(string server) => new NpgsqlConnectionStringBuilder(server) { Pooling = false }.ConnectionString;
}
