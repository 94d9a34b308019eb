using Archiver.Testing;

namespace Archiver.Integration.Tests.ApplicationSchemas;

/// <summary>A database with a preset's schema and its sample, for all tests of a class.</summary>
public abstract class ApplicationSchemaData(TestServers servers, string preset) : IAsyncLifetime
{
    public const int Idle = 6000;
    public const int Young = 500;
    public const int Messages = 12;

    private TestDatabase? database;

    public string Preset => preset;

    public TestDatabase Database => database ?? throw new InvalidOperationException("InitializeAsync has not run.");

    public async ValueTask InitializeAsync()
    {
        var token = TestContext.Current.CancellationToken;
        database = await TestDatabase.CreateAsync(servers, token);
        await ApplicationSchema.InstallAsync(database, preset, token);
        await GenerateAsync(token);
    }

    public Task GenerateAsync(CancellationToken cancellationToken) =>
        ApplicationSchema.GenerateAsync(Database, preset, Idle, Young, Messages, cancellationToken: cancellationToken);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (database is not null)
            await database.DisposeAsync();
    }
}
