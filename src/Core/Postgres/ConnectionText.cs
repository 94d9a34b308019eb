using Archiver.Core.Diagnostics;
using Npgsql;

namespace Archiver.Core.Postgres;

/// <summary>
/// A connection string as the archiver uses it. Where, who and how encrypted is the user's; what would change the text of a value, cut off
/// a statement or repeat a row elsewhere is ours, whatever the string or Npgsql's environment variables (<c>PGCLIENTENCODING</c>,
/// <c>PGTZ</c>) say.
/// </summary>
internal static class ConnectionText
{
    private const string ApplicationName = "archiver";

    private const string Utf8 = "UTF8";

    /// <summary>
    /// Connections that one command may hold at the same time: in a smaller pool it would wait for itself until it gives up.
    /// </summary>
    private const int LeastPool = 32;

    private const int ReadBuffer = 64 * 1024;

    private const int ConnectWithin = 15;

    private const int CancelWithin = 2000;

    /// <summary>The string with our settings in it.</summary>
    /// <exception cref="ArgumentException">It is not a connection string; the message may quote parts of it.</exception>
    public static NpgsqlConnectionStringBuilder Of(string given, bool pooling)
    {
        var text = new NpgsqlConnectionStringBuilder(given) { Pooling = pooling };
        text.ApplicationName ??= ApplicationName;
        // What is absent here is taken from the environment: both are given, always. Latin 1 was stored, verified as it was read, and
        // deleted.
        (text.Encoding, text.ClientEncoding, text.Timezone) = (Utf8, Utf8, "UTC");
        // A connection has one user at a time: transactions, locks and COPY are bound to it.
        text.Multiplexing = false;
        text.Enlist = false;
        text.MaxPoolSize = Math.Max(text.MaxPoolSize, LeastPool);
        // A walsender knows no transactions.
        text.Remove("Replication Mode");
        // The driver refuses it for a single host, also where PGTARGETSESSIONATTRS says it; inspection refuses a standby.
        if (text.Host?.Contains(',', StringComparison.Ordinal) != true)
            text.TargetSessionAttributes = "any";
        text.ArrayNullabilityMode = ArrayNullabilityMode.Never;
        // Row values and passwords stay where they are.
        (text.IncludeErrorDetail, text.LogParameters, text.PersistSecurityInfo) = (false, false, false);
        // Statements are bounded by the server's statement_timeout, which grows with a large session; a second clock here would cut it off.
        text.CommandTimeout = 0;
        // Zero would wait for ever.
        text.Timeout = text.Timeout == 0 ? ConnectWithin : text.Timeout;
        text.CancellationTimeout = text.CancellationTimeout == 0 ? CancelWithin : text.CancellationTimeout;
        // An export reads megabytes: with the driver's 8 KiB the thread pool is woken for every twentieth message.
        text.ReadBufferSize = ReadBuffer;
        // A peer that vanished without a word must not hold a run for ever.
        text.TcpKeepAlive = true;
        (text.TcpKeepAliveTime, text.TcpKeepAliveInterval) = (30, 10);
        return text;
    }

    /// <summary>
    /// Connections by it. The server's own types are not asked for: every value that is sent or read is of a built-in type, and the
    /// question costs the server as much as all the rest of a command that finds nothing to do.
    /// </summary>
    /// <inheritdoc cref="Of"/>
    public static NpgsqlDataSource Source(string given, bool pooling, string? name = null) => Source(Of(given, pooling), name);

    /// <summary>
    /// The time zone of a session that the application begins by this string: the string's own, else that of the role, the database or the
    /// server. Only a connection that names none is told it.
    /// </summary>
    /// <inheritdoc cref="Of"/>
    public static async Task<string> ZoneAsync(string given, CancellationToken cancellationToken)
    {
        await using var source = SourceInItsZone(given, name: null);
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        return connection.Timezone;
    }

    /// <summary>Connections by it, each new, that begin in the zone of which <see cref="ZoneAsync"/> tells.</summary>
    /// <inheritdoc cref="Of"/>
    public static NpgsqlDataSource SourceInItsZone(string given, string? name)
    {
        var text = Of(given, pooling: false);
        text.Timezone = new NpgsqlConnectionStringBuilder(given).Timezone;
        return Source(text, name);
    }

    private static NpgsqlDataSource Source(NpgsqlConnectionStringBuilder text, string? name) =>
        new NpgsqlDataSourceBuilder(text.ConnectionString) { Name = name }
            .ConfigureTypeLoading(types => types.EnableTypeLoading(false))
            // Of runs only: each look at the status and each ping would be a trace of its own.
            .ConfigureTracing(tracing =>
                tracing
                    .ConfigureCommandFilter(_ => Traces.IsInside)
                    .ConfigureBatchFilter(_ => Traces.IsInside)
                    .ConfigureCopyOperationFilter(_ => Traces.IsInside)
                    .EnablePhysicalOpenTracing(false)
                    .EnableFirstResponseEvent(false)
            )
            .Build();
}
