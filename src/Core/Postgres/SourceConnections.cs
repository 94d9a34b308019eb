using Archiver.Core.Diagnostics;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Postgres;

/// <summary>The ways to a source's servers: the main pool, the replica if exports go there, and single connections for the run lock.</summary>
internal sealed class SourceConnections : IAsyncDisposable
{
    private const string ApplicationName = "archiver";

    private const int ReadBuffer = 64 * 1024;

    private readonly SourceSettings _settings;
    private readonly NpgsqlDataSource _main;
    private readonly NpgsqlDataSource _lock;
    private readonly NpgsqlDataSource? _replica;

    public SourceConnections(SourceSettings settings)
    {
        _settings = settings;
        _main = Build(settings.ConnectionString, settings.Name, pooling: true);
        // A session lock lives as long as its connection: it must not return to a pool with the lock, nor be handed to someone else.
        _lock = Build(settings.LockConnectionString ?? settings.ConnectionString, settings.Name + "/lock", pooling: false);
        if (settings.ReplicaConnectionString is { } replica)
            _replica = Build(replica, settings.Name + "/replica", pooling: true);
    }

    /// <summary>An open connection of the main pool.</summary>
    /// <exception cref="NpgsqlException">The server cannot be reached or refused the login; <see cref="ForPerson"/> says it in one sentence.</exception>
    public async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) =>
        await _main.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>An open connection to the server that exports are read from: the replica where there is one.</summary>
    /// <exception cref="NpgsqlException">As for <see cref="OpenAsync"/>; <see cref="ForPersonAboutReplica"/> says it.</exception>
    public async Task<NpgsqlConnection> OpenForExportAsync(CancellationToken cancellationToken) =>
        await (_replica ?? _main).OpenConnectionAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>A connection of its own, past any pooler.</summary>
    /// <exception cref="NpgsqlException">As for <see cref="OpenAsync"/>.</exception>
    public async Task<NpgsqlConnection> OpenForLockAsync(CancellationToken cancellationToken) =>
        await _lock.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>A pool of the schedule's own, whose owner disposes of it.</summary>
    public static NpgsqlDataSource BuildForSchedule(SourceSettings settings) => Build(settings.ConnectionString, settings.Name + "/schedule", pooling: true);

    /// <summary>The one sentence for a person about an error of this source's server.</summary>
    public ArchiverException ForPerson(Exception exception) =>
        PgErrors.ForPerson(exception, _settings.Name, new NpgsqlConnectionStringBuilder(_settings.ConnectionString));

    /// <summary>The same about an error of the replica, which <see cref="OpenForExportAsync"/> leads to.</summary>
    public ArchiverException ForPersonAboutReplica(Exception exception) => PgErrors.ForPerson(
        exception, _settings.Name, new NpgsqlConnectionStringBuilder(_settings.ReplicaConnectionString), nameof(_settings.ReplicaConnectionString));

    public async ValueTask DisposeAsync()
    {
        if (_replica is not null)
            await _replica.DisposeAsync().ConfigureAwait(false);
        await _main.DisposeAsync().ConfigureAwait(false);
        await _lock.DisposeAsync().ConfigureAwait(false);
    }

    private static NpgsqlDataSource Build(string connectionString, string name, bool pooling)
    {
        var text = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = pooling, IncludeErrorDetail = false };
        text.ApplicationName ??= ApplicationName;
        // Statements are bounded by the server's statement_timeout, which grows with a large session; a second clock here would cut it off.
        text.CommandTimeout = 0;
        // An export reads megabytes: with the driver's 8 KiB the thread pool is woken for every twentieth message.
        text.ReadBufferSize = ReadBuffer;
        // A peer that vanished without a word must not hold a run for ever.
        text.TcpKeepAlive = true;
        text.TcpKeepAliveTime = 30;
        text.TcpKeepAliveInterval = 10;
        return new NpgsqlDataSourceBuilder(text.ConnectionString) { Name = name }.Build();
    }
}
