using Archiver.Core.Sources;

namespace Archiver.Core.Ledger;

/// <summary>The SQL of <see cref="RunJournal"/>.</summary>
internal static class RunStatements
{
    // Objects that a dead run recorded and did not settle: whether they exist is unknown. They are never removed by a run, only labelled.
    public const string SettleDeadRuns = $"""
        WITH dead AS (
          UPDATE archiver.runs AS r SET state = 'interrupted', ended_at = clock_timestamp()
          WHERE r.source = $1 AND r.state = 'running' AND NOT {Lease.OfLivingRun}
          RETURNING r.id
        )
        SELECT count(*) FROM dead
        """;

    // Between looking for runs with another number of shards and recording this one, no other may do the same.
    public const string OneAtATime = "SELECT pg_advisory_xact_lock(hashtextextended('archiver/begin/' || $1, 0))";

    public const string SettlePending = """
        UPDATE archiver.objects AS o
        SET state = 'abandoned', reason = 'run ended', ended_at = clock_timestamp()
        FROM archiver.runs AS r
        WHERE r.id = o.run_id AND o.source = $1 AND o.state = 'pending' AND r.state <> 'running'
        """;

    public const string Insert = """
        INSERT INTO archiver.runs (id, source, policy, action, cut_off, worker, lease, shard, shards)
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """;

    public const string Finish = """
        UPDATE archiver.runs
        SET state = $2, ended_at = clock_timestamp(), sessions_selected = $3, sessions_skipped = $4, sessions_failed = $5, reasons = $6,
          error = $7
        WHERE id = $1 AND state = 'running'
        """;

    public const string Count = """
        UPDATE archiver.runs
        SET sessions_done = sessions_done + $2, rows_deleted = rows_deleted + $3, bytes_json = bytes_json + $4,
          bytes_stored = bytes_stored + $5
        WHERE id = $1
        """;
}
