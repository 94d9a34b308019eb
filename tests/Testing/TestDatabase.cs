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

    private readonly NpgsqlDataSource admin;
    private readonly string server;

    private TestDatabase(NpgsqlDataSource admin, string server, string name)
    {
        (this.admin, this.server) = (admin, server);
        Name = name;
        ConnectionString = new NpgsqlConnectionStringBuilder(server) { Database = name }.ConnectionString;
        DataSource = Source(ConnectionString);
    }

    /// <summary>Its random name, which needs no quotes.</summary>
    public string Name { get; }

    /// <summary>Connects the superuser to this database.</summary>
    public string ConnectionString { get; }

    /// <summary>Pooled connections to this database.</summary>
    public NpgsqlDataSource DataSource { get; }

    /// <summary>Creates one with a random name on the shared server.</summary>
    public static Task<TestDatabase> CreateAsync(TestServers servers, CancellationToken cancellationToken) =>
        // template1 may have a visitor, who would make this fail.
        CopyAsync(servers.Admin, servers.PostgresConnectionString, "template0", cancellationToken);

    /// <summary>Creates one with a random name on the server of a connection string, such as a <see cref="PostgresServer"/>'s.</summary>
    public static Task<TestDatabase> CreateAsync(string server, CancellationToken cancellationToken) =>
        CopyAsync(Once(server), server, "template0", cancellationToken);

    /// <summary>A copy of a database beside it, made with it as the template; ends whoever is connected to the original.</summary>
    public static async Task<TestDatabase> CopyAsync(TestDatabase original, CancellationToken cancellationToken)
    {
        await using var end = original.admin.CreateCommand(
            $"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{original.Name}'"
        );
        await end.ExecuteNonQueryAsync(cancellationToken);
        return await original.CopyUnusedAsync(cancellationToken);
    }

    /// <summary>The same where nobody is connected to this one, which need not be asked each time.</summary>
    internal Task<TestDatabase> CopyUnusedAsync(CancellationToken cancellationToken)
    {
        DataSource.Clear();
        return CopyAsync(admin, server, Name, cancellationToken);
    }

    private static async Task<TestDatabase> CopyAsync(
        NpgsqlDataSource admin,
        string server,
        string template,
        CancellationToken cancellationToken
    )
    {
        var name = $"test_{Guid.NewGuid():N}";
        await using var connection = await admin.OpenConnectionAsync(cancellationToken);
        // Copying files takes a third of the processor time of copying pages through the log.
        var strategy = connection.PostgreSqlVersion.Major >= 15 ? " STRATEGY FILE_COPY" : "";
        await using var create = new NpgsqlCommand($"CREATE DATABASE {name} TEMPLATE {template}{strategy}", connection);
        await create.ExecuteNonQueryAsync(cancellationToken);
        return new TestDatabase(admin, server, name);
    }

    /// <summary>Single connections of the superuser to the database <c>postgres</c> of the same server.</summary>
    public NpgsqlDataSource OfItsServer() => Once(server);

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
        await using var drop = admin.CreateCommand($"DROP DATABASE IF EXISTS {Name} WITH (FORCE)");
        await drop.ExecuteNonQueryAsync();
    }

    // A connection for each statement: the server may be stopped and started between two.
    private static NpgsqlDataSource Once(string server) =>
        Source(new NpgsqlConnectionStringBuilder(server) { Pooling = false }.ConnectionString);

    // Without reading the server's types, which costs more than most statements of a test. On a busy machine a login takes more than the
    // driver's 15 s, and a table of many rows more than its 30 s.
    internal static NpgsqlDataSource Source(string connectionString) =>
        new NpgsqlDataSourceBuilder(
            new NpgsqlConnectionStringBuilder(connectionString) { Timeout = 300, CommandTimeout = 300 }.ConnectionString
        )
            .ConfigureTypeLoading(types => types.EnableTypeLoading(false))
            .Build();
}
