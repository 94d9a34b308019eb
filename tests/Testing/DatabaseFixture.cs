using Xunit;

namespace Archiver.Testing;

/// <summary>One database for all tests of a class: <c>class MyTests(DatabaseFixture fixture) : IClassFixture&lt;DatabaseFixture&gt;</c>.</summary>
public sealed class DatabaseFixture(TestServers servers) : IAsyncLifetime
{
    private TestDatabase? database;

    /// <summary>The class's database.</summary>
    public TestDatabase Database => database ?? throw new InvalidOperationException("InitializeAsync has not run.");

    /// <summary>Creates the database.</summary>
    public async ValueTask InitializeAsync() => database = await TestDatabase.CreateAsync(servers, TestContext.Current.CancellationToken);

    /// <summary>Drops the database.</summary>
    public ValueTask DisposeAsync() => database?.DisposeAsync() ?? ValueTask.CompletedTask;
}
