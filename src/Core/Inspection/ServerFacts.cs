using Npgsql;

namespace Archiver.Core.Inspection;

/// <summary>What the server, the database and the role are like.</summary>
internal sealed record ServerFacts : ICatalogFact<ServerFacts>
{
    // deadlock_timeout is shown with its unit, which an interval understands; pg_settings would cost as much as all the rest.
    public static string Sql =>
        """
            SELECT pg_is_in_recovery(),
                   pg_encoding_to_char(d.encoding)::text,
                   current_setting('track_counts')::boolean,
                   current_setting('session_replication_role'),
                   current_setting('default_transaction_read_only')::boolean,
                   (extract(epoch FROM current_setting('deadlock_timeout')::interval) * 1000)::bigint,
                   current_user::text,
                   d.datname::text
            FROM pg_database AS d
            WHERE d.datname = current_database() AND $1 IS NOT NULL
            """;

    public required bool IsStandby { get; init; }

    public required string Encoding { get; init; }

    public required bool TracksCounts { get; init; }

    /// <summary>Anything but <c>origin</c> switches foreign keys and triggers off.</summary>
    public required string ReplicationRole { get; init; }

    public required bool ReadOnly { get; init; }

    public required TimeSpan DeadlockTimeout { get; init; }

    public required string Role { get; init; }

    public required string Database { get; init; }

    public static ServerFacts Read(NpgsqlDataReader row) =>
        new()
        {
            IsStandby = row.GetBoolean(0),
            Encoding = row.GetString(1),
            TracksCounts = row.GetBoolean(2),
            ReplicationRole = row.GetString(3),
            ReadOnly = row.GetBoolean(4),
            DeadlockTimeout = TimeSpan.FromMilliseconds(row.GetInt64(5)),
            Role = row.GetString(6),
            Database = row.GetString(7),
        };
}
