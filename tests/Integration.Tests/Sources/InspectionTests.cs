using Archiver.Core.Configuration;
using Archiver.Core.Inspection;
using Archiver.Core.Settings;
using Archiver.Testing;
using Npgsql;

namespace Archiver.Integration.Tests.Sources;

/// <summary>What tests of inspection share: a preset's schema, something that spoils it, and the fix that the message states.</summary>
public abstract class InspectionTests(TestServers servers, DatabaseFixture fixture) : IClassFixture<DatabaseFixture>
{
    protected const string Preset = "ended-at";

    // A new database would take three times as long.
    private const string Empty = """
        DROP SCHEMA public CASCADE;
        CREATE SCHEMA public;
        DROP FOREIGN DATA WRAPPER IF EXISTS elsewhere CASCADE;
        DROP ACCESS METHOD IF EXISTS columnar;
        DROP SCHEMA IF EXISTS other CASCADE;
        """;

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected TestServers Servers => servers;

    private protected static SourceSettings Source { get; } = SourceOf(Preset);

    private protected static SourceSettings SourceOf(string preset) =>
        new()
        {
            Name = "main",
            ConnectionString = "Host=unused",
            Prefix = "chats",
            Map = Presets.Get(preset).Map,
            Policies = [],
        };

    private protected static SourceSettings WithMessages(Func<ChildTable, ChildTable> change) =>
        Source with
        {
            Map = Source.Map with { Children = [change(Source.Map.Children[0])] },
        };

    private protected static SourceSettings WithSession(Func<SessionTable, SessionTable> change) =>
        Source with
        {
            Map = Source.Map with { Session = change(Source.Map.Session) },
        };

    /// <summary>The class's database, emptied, with the preset's schema and what comes on top.</summary>
    private protected async Task<TestDatabase> DatabaseAsync(string sql, string preset = Preset)
    {
        await fixture.Database.ExecuteAsync(Empty, Token);
        await InstallAsync(fixture.Database, sql, preset);
        return fixture.Database;
    }

    /// <summary>The same in a database of the test's own, for what outlives the tables: settings, grants, subscriptions.</summary>
    private protected async Task<TestDatabase> OwnDatabaseAsync(string sql, string preset = Preset)
    {
        var database = await TestDatabase.CreateAsync(servers, Token);
        await InstallAsync(database, sql, preset);
        return database;
    }

    /// <summary>On a connection of its own, so that settings made before count; as another role if one is named.</summary>
    private protected static async Task<InspectionReport> InspectAsync(
        TestDatabase database,
        SourceSettings? source = null,
        string? role = null,
        TimeSpan? lockTimeout = null
    )
    {
        var text = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false, IncludeErrorDetail = true };
        await using var connection = new NpgsqlConnection(text.ConnectionString);
        await connection.OpenAsync(Token);
        if (role is not null)
        {
            await using var command = new NpgsqlCommand($"SET ROLE {role}", connection);
            await command.ExecuteNonQueryAsync(Token);
        }
        return await SourceInspector.InspectAsync(connection, source ?? Source, Token, lockTimeout);
    }

    /// <summary>One problem that says all of this; the statements in it make it go away.</summary>
    private protected async Task RefusesAsync(string sql, SourceSettings? source, params string[] says)
    {
        var database = await DatabaseAsync(sql);
        var problem = Assert.Single((await InspectAsync(database, source)).Problems);
        Assert.All(says, s => Assert.Contains(s, problem, StringComparison.Ordinal));

        await ApplyAsync(database, problem);

        Assert.Empty((await InspectAsync(database, source)).Problems);
    }

    /// <summary>One problem that says all of this, and that no statement can mend.</summary>
    private protected async Task RefusesForGoodAsync(string sql, SourceSettings? source, params string[] says)
    {
        var database = await DatabaseAsync(sql);
        var problem = Assert.Single((await InspectAsync(database, source)).Problems);
        Assert.All(says, s => Assert.Contains(s, problem, StringComparison.Ordinal));
        Assert.DoesNotContain(Findings.Fix, problem, StringComparison.Ordinal);
    }

    /// <summary>No problem, and one warning that says all of this; its statements, if it has any, make it go away.</summary>
    private protected async Task WarnsAsync(string sql, SourceSettings? source, params string[] says)
    {
        var database = await DatabaseAsync(sql);
        var inspection = await InspectAsync(database, source);
        Assert.Empty(inspection.Problems);
        var warning = Assert.Single(inspection.Warnings);
        Assert.All(says, s => Assert.Contains(s, warning, StringComparison.Ordinal));
        if (!warning.Contains(Findings.Fix, StringComparison.Ordinal))
            return;

        await ApplyAsync(database, warning);

        Assert.Empty((await InspectAsync(database, source)).Warnings);
    }

    /// <summary>Neither problem nor warning.</summary>
    private protected async Task AcceptsAsync(string sql, SourceSettings? source = null)
    {
        var database = await DatabaseAsync(sql);
        var inspection = await InspectAsync(database, source);
        Assert.NotEmpty(inspection.Shape.Tables);
        Assert.Empty(inspection.Problems);
        Assert.Empty(inspection.Warnings);
    }

    /// <summary>Does as a message says.</summary>
    private protected static Task ApplyAsync(TestDatabase database, string message)
    {
        var parts = message.Split(Findings.Fix);
        Assert.Equal(2, parts.Length);
        return ExecuteEachAsync(database, parts[1]);
    }

    private static async Task InstallAsync(TestDatabase database, string sql, string preset)
    {
        await ApplicationSchema.InstallAsync(database, preset, Token);
        await ExecuteEachAsync(database, sql);
    }

    /// <summary>One by one: CREATE INDEX CONCURRENTLY wants no company.</summary>
    private static async Task ExecuteEachAsync(TestDatabase database, string sql)
    {
        foreach (var statement in sql.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            await database.ExecuteAsync(statement, Token);
    }
}
