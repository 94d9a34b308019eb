using Archiver.Testing;
using Npgsql;

namespace Archiver.Integration.Tests.Servers;

public sealed class PostgresServerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Comes_back_with_its_committed_rows_after_a_kill()
    {
        await using var server = await PostgresServer.StartAsync(Token);
        await using var dataSource = NpgsqlDataSource.Create(server.ConnectionString);
        await using var busy = await dataSource.OpenConnectionAsync(Token);
        await ExecuteAsync(dataSource, "CREATE TABLE t AS SELECT 1 AS i");
        await using var sleep = new NpgsqlCommand("SELECT pg_sleep(3600)", busy);
        var sleeping = sleep.ExecuteNonQueryAsync(Token);

        await server.KillAsync(Token);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => sleeping);
        await server.StartAgainAsync(Token);

        dataSource.Clear();
        await using var count = dataSource.CreateCommand("SELECT count(*) FROM t");
        Assert.Equal(1L, await count.ExecuteScalarAsync(Token));
    }

    [Fact]
    public async Task Has_defaults_that_nobody_should_lean_on()
    {
        await using var server = await PostgresServer.StartAsync(Token, "deadlock_timeout = '50ms'");
        await using var dataSource = NpgsqlDataSource.Create(server.ConnectionString);
        await using var command = dataSource.CreateCommand(
            """
            SELECT concat_ws(';', current_setting('TimeZone'), current_setting('DateStyle'), current_setting('wal_level'),
                current_setting('max_connections'), current_setting('max_prepared_transactions'), current_setting('deadlock_timeout'))
            """
        );

        Assert.Equal("Asia/Kolkata;SQL, DMY;logical;200;10;50ms", await command.ExecuteScalarAsync(Token));
    }

    [Fact]
    public async Task Takes_one_round_of_SCRAM_for_a_login()
    {
        await using var server = await PostgresServer.StartAsync(Token);
        await using var dataSource = NpgsqlDataSource.Create(server.ConnectionString);
        await using var command = dataSource.CreateCommand("SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'");

        Assert.StartsWith("SCRAM-SHA-256$1:", (string)(await command.ExecuteScalarAsync(Token))!, StringComparison.Ordinal);
    }

    // Also where the data folder is a copy of a prepared one: archives and leases name the server by it.
    [Fact]
    public async Task Has_a_system_identifier_of_its_own()
    {
        await using var one = await PostgresServer.StartAsync(Token);
        await using var other = await PostgresServer.StartAsync(Token);

        var (first, second) = (await IdentifierAsync(one), await IdentifierAsync(other));

        Assert.True(first > 0 && second > 0 && first != second, $"{first} and {second}");

        static async Task<long> IdentifierAsync(PostgresServer server)
        {
            await using var dataSource = NpgsqlDataSource.Create(server.ConnectionString);
            await using var command = dataSource.CreateCommand("SELECT system_identifier FROM pg_control_system()");
            return (long)(await command.ExecuteScalarAsync(Token))!;
        }
    }

    [Fact]
    public async Task Ends_with_its_folder_when_disposed()
    {
        var server = await PostgresServer.StartAsync(Token);
        Assert.True(await AnswersAsync(server));

        await server.DisposeAsync();

        Assert.False(await AnswersAsync(server));
        Assert.False(Directory.Exists(server.Folder));
    }

    [Fact]
    public async Task Ends_although_its_script_was_killed_and_a_query_runs()
    {
        await using var server = await PostgresServer.StartAsync(Token);
        await using var dataSource = NpgsqlDataSource.Create(server.ConnectionString);
        await using var sleep = dataSource.CreateCommand("SELECT pg_sleep(3600)");
        var sleeping = sleep.ExecuteNonQueryAsync(Token);

        server.KillScript();

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => sleeping);
        await Eventually.TrueAsync(async () => !await AnswersAsync(server), Token);
        Directory.Delete(server.Folder, recursive: true);
    }

    private static async Task ExecuteAsync(NpgsqlDataSource dataSource, string sql)
    {
        await using var command = dataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Token);
    }

    private static async Task<bool> AnswersAsync(PostgresServer server)
    {
        await using var connection = new NpgsqlConnection($"{server.ConnectionString};Pooling=false");
        try
        {
            await connection.OpenAsync(Token);
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }
}
