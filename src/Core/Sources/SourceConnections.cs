using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Sources;

/// <summary>
/// The ways to a source's servers: the main pool, the replica if exports go there, and single connections for the run lock.
/// </summary>
internal sealed class SourceConnections : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // Behind a pooler, which shows a process of its own, the setting would stay on a connection that others use.
    private const string Settle =
        "SELECT set_config('lock_timeout', $2, false), set_config('TimeZone', 'UTC', false) WHERE pg_backend_pid() = $1";

    private readonly SourceSettings _settings;
    private readonly NpgsqlDataSource _main;
    private readonly NpgsqlDataSource _lock;
    private readonly NpgsqlDataSource? _replica;
    private string? _zone;

    /// <param name="settings">The source.</param>
    /// <param name="time">For whoever waits on its servers; null for the system's.</param>
    public SourceConnections(SourceSettings settings, TimeProvider? time = null)
    {
        _settings = settings;
        Time = time ?? TimeProvider.System;
        _main = ConnectionText.Source(settings.ConnectionString, pooling: true, settings.Name);
        // A session lock lives as long as its connection: it must not return to a pool with the lock, nor be handed to someone else.
        _lock = ConnectionText.SourceInItsZone(settings.LockConnectionString ?? settings.ConnectionString, settings.Name + "/lock");
        if (settings.ReplicaConnectionString is { } replica)
            _replica = ConnectionText.Source(replica, pooling: true, settings.Name + "/replica");
    }

    /// <summary>The source that they lead to.</summary>
    public SourceSettings Source => _settings;

    /// <summary>By which waiting for its servers is measured.</summary>
    public TimeProvider Time { get; }

    /// <summary>The tables behind these connections.</summary>
    public SourceMap Map => _settings.Map;

    /// <summary>An open connection of the main pool.</summary>
    /// <exception cref="NpgsqlException">
    /// The server cannot be reached or refused the login; <see cref="ForPerson"/> says it in one sentence.
    /// </exception>
    public Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) => OpenAsync(_main, prepare: null, cancellationToken);

    /// <summary>An open connection to the server that exports are read from: the replica where there is one.</summary>
    /// <exception cref="NpgsqlException">As for <see cref="OpenAsync"/>; <see cref="ForPersonAboutReplica"/> says it.</exception>
    public async Task<NpgsqlConnection> OpenForExportAsync(CancellationToken cancellationToken) =>
        _replica is null ? await OpenAsync(cancellationToken) : await _replica.OpenConnectionAsync(cancellationToken);

    /// <summary>
    /// A connection of its own, past any pooler, that ends with its owner: whatever outlives a transaction (locks, temporary tables)
    /// belongs on one of these. On a pooled connection it would be stranded, or missing in the next transaction.
    /// </summary>
    /// <exception cref="ArchiverException">A transaction pooler sits between; kind Refused.</exception>
    /// <exception cref="NpgsqlException">As for <see cref="OpenAsync"/>.</exception>
    public Task<NpgsqlConnection> OpenDirectAsync(CancellationToken cancellationToken) =>
        OpenAsync(
            _lock,
            async connection =>
            {
                // It begins in the application's zone, which is learnt on the way. Of another role or database it would be another.
                if (_settings.LockConnectionString is null)
                    _zone ??= connection.Timezone;
                await Pooler.RefuseAsync(
                    connection,
                    $"Give a direct connection in Archiver:Sources:{_settings.Name}:{nameof(_settings.LockConnectionString)}.",
                    cancellationToken
                );
            },
            cancellationToken
        );

    /// <summary>
    /// The time zone of the application's sessions, for its triggers: the source's, where that names one; else what the server gives to
    /// who names none.
    /// </summary>
    /// <exception cref="NpgsqlException">As for <see cref="OpenAsync"/>.</exception>
    public async Task<string> ApplicationZoneAsync(CancellationToken cancellationToken) =>
        _settings.TimeZone != "UTC"
            ? _settings.TimeZone
            : _zone ??= await ConnectionText.ZoneAsync(_settings.ConnectionString, cancellationToken);

    private async Task<NpgsqlConnection> OpenAsync(
        NpgsqlDataSource pool,
        Func<NpgsqlConnection, Task>? prepare,
        CancellationToken cancellationToken
    )
    {
        var connection = await pool.OpenConnectionAsync(cancellationToken);
        try
        {
            if (prepare is not null)
                await prepare(connection);
            await SettleAsync(connection, cancellationToken);
            await OptionalParts.SettleAsync(connection, _settings, cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Where no transaction says otherwise: a table that somebody has locked must not hold a command or a run for ever, and a direct
    /// connection has the application's zone until here.
    /// </summary>
    private static Task<int> SettleAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(
            Settle,
            cancellationToken,
            PgParameter.Int(connection.ProcessID),
            PgParameter.Text($"{TransactionSettings.LockWithin.TotalMilliseconds:0}")
        );

    /// <summary>A pool of the schedule's own, whose owner disposes of it.</summary>
    public static NpgsqlDataSource BuildForSchedule(SourceSettings settings) =>
        ConnectionText.Source(settings.ConnectionString, pooling: true, settings.Name + "/schedule");

    /// <summary>The one sentence for a person about an error of this source's server.</summary>
    public ArchiverException ForPerson(Exception exception) =>
        PgErrors.ForPerson(exception, _settings.Name, new NpgsqlConnectionStringBuilder(_settings.ConnectionString));

    /// <summary>The same; of a lock that did not come in time it also says who has it.</summary>
    public async Task<ArchiverException> ForPersonAsync(Exception exception)
    {
        if (exception is not PostgresException refused || !refused.IsLockTimeout())
            return ForPerson(exception);
        IReadOnlyList<string> holders = [];
        try
        {
            using var patience = new CancellationTokenSource(Patience);
            await using var connection = await OpenAsync(patience.Token);
            holders = await LockHolders.FindAsync(connection, Map, patience.Token);
        }
        catch (Exception other) when (other is NpgsqlException or OperationCanceledException or TimeoutException)
        {
            // The lock itself is worth telling all the same.
        }
        var who =
            holders.Count > 0
                ? string.Join(" ", holders)
                : "No whole table is locked now: whoever had the lock is gone, or it was one of rows or of another archiver. Try again.";
        return new(
            FailureKind.Failed,
            $"A lock on the tables of source '{_settings.Name}' or its ledger did not come in time (55P03). {who}",
            exception
        );
    }

    /// <summary>The same about an error of the replica, which <see cref="OpenForExportAsync"/> leads to.</summary>
    public ArchiverException ForPersonAboutReplica(Exception exception) =>
        PgErrors.ForPerson(
            exception,
            _settings.Name,
            new NpgsqlConnectionStringBuilder(_settings.ReplicaConnectionString),
            nameof(_settings.ReplicaConnectionString)
        );

    public async ValueTask DisposeAsync()
    {
        if (_replica is not null)
            await _replica.DisposeAsync();
        await _main.DisposeAsync();
        await _lock.DisposeAsync();
    }
}
