using System.Globalization;
using Archiver.Core.Diagnostics;
using Npgsql;

namespace Archiver.Core.Postgres;

/// <summary>
/// How far the slowest connected replica is behind. The server's own <c>replay_lag</c> stands still while a replica replays nothing, so the
/// age of the oldest position that we saw the primary pass and the replica not reach counts as well.
/// </summary>
internal sealed class ReplicationLag(TimeProvider time)
{
    // Base backups are in the view too, and replay nothing.
    private const string Read = """
        SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::text,
               (SELECT (min(r.replay_lsn) - '0/0'::pg_lsn)::text FROM pg_stat_replication AS r WHERE r.state <> 'backup'),
               coalesce((SELECT extract(epoch FROM max(r.replay_lag)) FROM pg_stat_replication AS r WHERE r.state <> 'backup'), 0)::float8
        """;

    private readonly Queue<(decimal Position, long Seen)> _marks = new();

    /// <summary>Zero without replicas.</summary>
    /// <exception cref="ArchiverException">The role may not see it; kind Refused.</exception>
    public async Task<TimeSpan> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await StatisticsRole.RequireAsync(connection, "MaxReplicationLag", "how far the replicas are", cancellationToken);
        var (now, replayed, reported) = (
            await connection.QueryAsync(
                Read,
                row =>
                    (
                        Position(row.GetString(0)),
                        row.TextOrNull(1) is { } text ? Position(text) : (decimal?)null,
                        TimeSpan.FromSeconds(row.GetDouble(2))
                    ),
                cancellationToken
            )
        )[0];
        if (replayed is null)
        {
            _marks.Clear();
            return TimeSpan.Zero;
        }
        while (_marks.TryPeek(out var mark) && mark.Position <= replayed)
            _marks.Dequeue();
        if (now > replayed)
            _marks.Enqueue((now, time.GetTimestamp()));
        var seen = _marks.TryPeek(out var oldest) ? time.GetElapsedTime(oldest.Seen) : TimeSpan.Zero;
        // Idle replicas keep the last lag that was measured; one that has everything is not behind.
        var lag = now <= replayed || seen > reported ? seen : reported;
        return TimeSpan.FromMilliseconds(Math.Ceiling(lag.TotalMilliseconds));
    }

    private static decimal Position(string text) => decimal.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
