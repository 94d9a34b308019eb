using System.Runtime.ExceptionServices;
using Xunit;

namespace Archiver.Testing;

/// <summary>
/// One database for all tests of a class: <c>class MyTests(DatabaseFixture fixture) : IClassFixture&lt;DatabaseFixture&gt;</c>.
/// </summary>
public sealed class DatabaseFixture(TestServers servers) : IAsyncLifetime
{
    private TestDatabase? database;
    private ExceptionDispatchInfo? failure;

    /// <summary>The class's database. Skips the test where there is no server; fails it in CI.</summary>
    public TestDatabase Database
    {
        get
        {
            failure?.Throw();
            return database ?? throw new InvalidOperationException("InitializeAsync has not run.");
        }
    }

    /// <summary>Creates the database.</summary>
    public async ValueTask InitializeAsync()
    {
        try
        {
            database = await TestDatabase.CreateAsync(servers, TestContext.Current.CancellationToken);
        }
        catch (Exception e)
        {
            // xUnit takes a skip for a failure when a fixture throws it, so the tests throw it.
            failure = ExceptionDispatchInfo.Capture(e);
        }
    }

    /// <summary>Drops the database.</summary>
    public ValueTask DisposeAsync() => database?.DisposeAsync() ?? ValueTask.CompletedTask;
}
