using Archiver.Core.Inspection;
using Archiver.Testing;
using Npgsql;

namespace Archiver.Integration.Tests.Sources;

public sealed class ServerInspectionTests(TestServers servers, DatabaseFixture fixture) : InspectionTests(servers, fixture)
{
    [Fact]
    public async Task Refuses_settings_that_blind_the_delete()
    {
        await using var database = await OwnDatabaseAsync("");
        await database.ExecuteAsync($"ALTER DATABASE {await NameAsync(database)} SET track_counts = off", Token);
        var problem = Assert.Single((await InspectAsync(database)).Problems);
        Assert.Contains("track_counts is off", problem, StringComparison.Ordinal);

        await ApplyAsync(database, problem);

        Assert.Empty((await InspectAsync(database)).Problems);
    }

    // An application that has the same role may rely on what is switched off.
    [Fact]
    public async Task Refuses_a_role_for_which_keys_and_triggers_are_off_and_says_no_statement()
    {
        await using var database = await OwnDatabaseAsync("");
        await database.ExecuteAsync($"ALTER DATABASE {await NameAsync(database)} SET session_replication_role = replica", Token);

        var problem = Assert.Single((await InspectAsync(database)).Problems);

        Assert.Contains("session_replication_role is 'replica'", problem, StringComparison.Ordinal);
        Assert.Contains("give the archiver one of its own", problem, StringComparison.Ordinal);
        Assert.DoesNotContain(Findings.Fix, problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refuses_a_role_whose_transactions_are_read_only()
    {
        await using var database = await OwnDatabaseAsync("");
        await database.ExecuteAsync($"ALTER DATABASE {await NameAsync(database)} SET default_transaction_read_only = on", Token);
        var problem = Assert.Single((await InspectAsync(database)).Problems);
        Assert.Contains("default_transaction_read_only", problem, StringComparison.Ordinal);

        await using var connection = await database.DataSource.OpenConnectionAsync(Token);
        await using var fix = new NpgsqlCommand($"BEGIN; SET TRANSACTION READ WRITE; {problem.Split(Findings.Fix)[1]} COMMIT", connection);
        await fix.ExecuteNonQueryAsync(Token);

        Assert.Empty((await InspectAsync(database)).Problems);
    }

    [Fact]
    public async Task Refuses_a_database_whose_bytes_have_no_encoding()
    {
        var name = $"test_{Guid.NewGuid():N}";
        await using var server = NpgsqlDataSource.Create(Servers.PostgresConnectionString);
        await using var create = server.CreateCommand($"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'");
        await create.ExecuteNonQueryAsync(Token);
        try
        {
            var text = new NpgsqlConnectionStringBuilder(Servers.PostgresConnectionString) { Database = name, Pooling = false };
            await using var connection = new NpgsqlConnection(text.ConnectionString);
            await connection.OpenAsync(Token);

            var inspection = await Core.Inspection.SourceInspector.InspectAsync(connection, Source, Token);

            Assert.Contains(inspection.Problems, p =>
                p.Contains("SQL_ASCII", StringComparison.Ordinal) && p.Contains("ENCODING 'UTF8'", StringComparison.Ordinal)
            );
        }
        finally
        {
            await using var drop = server.CreateCommand($"DROP DATABASE {name} WITH (FORCE)");
            await drop.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }

    [Fact]
    public async Task Refuses_a_standby_and_a_lock_timeout_that_is_not_below_the_deadlock_timeout()
    {
        await using var server = await PostgresServer.StartAsync(Token, "deadlock_timeout = '300ms'");
        await using var database = await TestDatabase.CreateAsync(server.ConnectionString, Token);
        await ApplicationSchema.InstallAsync(database, Preset, Token);
        Assert.Empty((await InspectAsync(database, lockTimeout: TimeSpan.FromMilliseconds(299))).Problems);
        var problem = Assert.Single((await InspectAsync(database, lockTimeout: TimeSpan.FromMilliseconds(300))).Problems);
        Assert.Contains(
            "Archiver:Batch:LockTimeout (300ms) must be below the server's deadlock_timeout (300ms)",
            problem,
            StringComparison.Ordinal
        );

        await ApplyAsync(database, problem);
        await Eventually.TrueAsync(
            async () => (await InspectAsync(database, lockTimeout: TimeSpan.FromMilliseconds(300))).Problems.Count == 0,
            Token
        );

        await server.StopAsync(Token);
        await File.WriteAllTextAsync(Path.Combine(server.Folder, "data", "standby.signal"), "", Token);
        await server.StartAgainAsync(Token);
        Assert.Contains("is a standby", Assert.Single((await InspectAsync(database)).Problems), StringComparison.Ordinal);

        await server.StopAsync(Token);
        File.Delete(Path.Combine(server.Folder, "data", "standby.signal"));
        await server.StartAgainAsync(Token);
    }

    [Theory]
    [InlineData("13.23", 1)]
    [InlineData("14.0", 0)]
    [InlineData("18.1", 0)]
    public void Refuses_a_server_older_than_14(string version, int problems)
    {
        var findings = new Findings();

        ServerChecks.CheckVersion(Version.Parse(version), findings);

        Assert.Equal(problems, findings.Problems.Count);
        Assert.All(findings.Problems, p => Assert.Contains($"PostgreSQL {version}", p, StringComparison.Ordinal));
    }

    private static Task<string?> NameAsync(TestDatabase database) => database.ScalarAsync<string>("SELECT current_database()::text", Token);
}
