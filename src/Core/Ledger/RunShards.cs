using System.Globalization;
using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>How the workers of a source share it: all split it in the same way, and what a worker left that died is found again.</summary>
internal static class RunShards
{
    private const string Disagreeing = $"""
        SELECT r.worker, r.shards
        FROM archiver.runs AS r
        WHERE r.source = $1 AND r.state = 'running' AND r.shards <> $2 AND r.action IN ('archive', 'purge', 'expire')
          AND {Lease.OfLivingRun}
        LIMIT 1
        """;

    private const string Unfinished = $"""
        SELECT r.shard
        FROM (SELECT DISTINCT ON (l.shard) l.*
              FROM archiver.runs AS l
              WHERE l.source = $1 AND l.policy = $2 AND l.shards = $3
              ORDER BY l.shard, l.started_at DESC) AS r
        WHERE r.state = 'interrupted' OR (r.state = 'running' AND NOT {Lease.OfLivingRun})
        """;

    /// <summary>Refuses when a living run of the source splits it in another way: both would take the same sessions.</summary>
    /// <exception cref="ArchiverException">Kind Refused; it names the worker.</exception>
    public static async Task RequireAgreementAsync(
        NpgsqlConnection connection,
        string source,
        int shards,
        CancellationToken cancellationToken
    )
    {
        var found = await connection.QueryAsync(
            Disagreeing,
            row => (Worker: row.GetString(0), Shards: row.GetInt32(1)),
            cancellationToken,
            PgParameter.Text(source),
            PgParameter.Int(shards)
        );
        if (found is [var other])
            throw new ArchiverException(
                FailureKind.Refused,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Worker {other.Worker} is running on source '{source}' with Archiver:Schedule:Shards {other.Shards}, and this one has "
                        + $"{shards}: give every worker the same. Nothing was changed."
                )
            );
    }

    /// <summary>Shards of a policy whose last worker died in the middle.</summary>
    public static async Task<IReadOnlyList<int>> FindUnfinishedAsync(
        NpgsqlConnection connection,
        string source,
        string policy,
        int shards,
        CancellationToken cancellationToken
    ) =>
        await connection.QueryAsync(
            Unfinished,
            row => row.GetInt32(0),
            cancellationToken,
            PgParameter.Text(source),
            PgParameter.Text(policy),
            PgParameter.Int(shards)
        );
}
