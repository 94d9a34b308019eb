using System.Runtime.ExceptionServices;
using Archiver.Core.Settings;
using Archiver.Testing;
using Npgsql;

namespace Archiver.Integration.Tests.Standby;

/// <summary>A primary and its streaming standby for all tests of a class; each leaves both running and in step.</summary>
public sealed class StandbyServers : IAsyncLifetime
{
    private PostgresServer? _primary,
        _standby;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Skips the test where there is no server; fails it in CI.</summary>
    public PostgresServer Primary
    {
        get
        {
            _failure?.Throw();
            return _primary!;
        }
    }

    public PostgresServer Standby => _standby!;

    public async ValueTask InitializeAsync()
    {
        try
        {
            _primary = await PostgresServer.StartAsync(TestContext.Current.CancellationToken);
            await _primary.StopAsync(TestContext.Current.CancellationToken);
            _standby = await PostgresServer.StartStandbyAsync(_primary, TestContext.Current.CancellationToken, "log_statement = 'all'");
            await _primary.StartAgainAsync(TestContext.Current.CancellationToken);
        }
        catch (Exception e)
        {
            // xUnit takes a skip for a failure when a fixture throws it, so the tests throw it.
            _failure = ExceptionDispatchInfo.Capture(e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_standby is not null)
            await _standby.DisposeAsync();
        if (_primary is not null)
            await _primary.DisposeAsync();
    }

    /// <summary>Exports from that server, in small batches that do not overlap, with little patience.</summary>
    public static ArchiverSettings From(PostgresServer standby, ArchiverSettings settings)
    {
        var source = settings.Sources[0];
        var port = new NpgsqlConnectionStringBuilder(standby.ConnectionString).Port;
        var replica = new NpgsqlConnectionStringBuilder(source.ConnectionString) { Port = port }.ConnectionString;
        return Patient(TimeSpan.FromSeconds(1), settings with { Sources = [source with { ReplicaConnectionString = replica }] });
    }

    /// <summary>The same with the patience that a busy machine asks for.</summary>
    public static ArchiverSettings Patient(ArchiverSettings settings) => Patient(TimeSpan.FromMinutes(2), settings);

    /// <summary>Small batches that do not overlap.</summary>
    public static ArchiverSettings Patient(TimeSpan budget, ArchiverSettings settings) =>
        settings with
        {
            Batch = settings.Batch with { Sessions = 5, InFlight = 1 },
            Retry = settings.Retry with { Budget = budget },
        };

    /// <summary>Runs a statement on a server; its first value.</summary>
    public static async Task<T?> ScalarAsync<T>(PostgresServer server, string sql, CancellationToken cancellationToken)
    {
        await using var dataSource = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(server.ConnectionString) { Pooling = false }
        );
        await using var command = dataSource.CreateCommand(sql);
        return await command.ExecuteScalarAsync(cancellationToken) is T value ? value : default;
    }

    /// <summary>Waits until a standby has everything that the primary has now.</summary>
    public static async Task CaughtUpAsync(PostgresServer primary, PostgresServer standby, CancellationToken cancellationToken)
    {
        var position = await ScalarAsync<string>(primary, "SELECT pg_current_wal_lsn()::text", cancellationToken);
        await Eventually.TrueAsync(
            () => ScalarAsync<bool>(standby, $"SELECT pg_last_wal_replay_lsn() >= '{position}'", cancellationToken),
            cancellationToken
        );
    }
}
