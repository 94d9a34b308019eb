using System.Text.Json;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Proofs;

/// <summary>What the ledger keeps of proofs: of each the last one, and how far its walk over the archive has come.</summary>
internal static class ProofRecords
{
    private const string Done = """
        INSERT INTO archiver.proofs AS p (source, proof, state, worker, done_at, seconds, checked, found, position, walk_began_at,
          walked_from, walked_at)
        VALUES ($1, $2, 'done', $3, clock_timestamp(), $4, $5, $6, $7, $8, CASE WHEN $9 THEN $8 END, CASE WHEN $9
          THEN clock_timestamp() END)
        ON CONFLICT (source, proof) DO UPDATE SET
          state = 'done', error = NULL, tried_at = clock_timestamp(), worker = excluded.worker, done_at = excluded.done_at,
            seconds = excluded.seconds,
          checked = excluded.checked, found = excluded.found, position = excluded.position,
          walk_began_at = CASE WHEN p.position = 0 THEN excluded.walk_began_at ELSE coalesce(p.walk_began_at, excluded.walk_began_at) END,
          walked_from = CASE WHEN NOT $9 THEN p.walked_from WHEN p.position = 0 THEN $8 ELSE coalesce(p.walk_began_at, $8) END,
          walked_at = coalesce(excluded.walked_at, p.walked_at)
        """;

    private const string NotDone = """
        INSERT INTO archiver.proofs AS p (source, proof, state, worker, error) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (source, proof) DO UPDATE
          SET state = excluded.state, error = excluded.error, tried_at = clock_timestamp(), worker = excluded.worker
        """;

    // An older error stays before it: while the attempt goes on, it is the last that is known.
    private const string Begin = """
        INSERT INTO archiver.proofs AS p (source, proof, state, worker, error) VALUES ($1, $2, 'failed', $3, $4)
        ON CONFLICT (source, proof) DO UPDATE
          SET tried_at = clock_timestamp(), worker = excluded.worker,
            error = CASE WHEN p.state = 'done' THEN $4 WHEN p.error LIKE '%' || $4 THEN p.error ELSE concat_ws('; ', p.error, $4) END
        RETURNING p.tried_at, (SELECT o.tried_at FROM archiver.proofs AS o WHERE o.source = $1 AND o.proof = $2),
          (SELECT o.error FROM archiver.proofs AS o WHERE o.source = $1 AND o.proof = $2)
        """;

    private const string TakeBackFirst =
        "DELETE FROM archiver.proofs AS p WHERE p.source = $1 AND p.proof = $2 AND p.tried_at = $3 AND p.done_at IS NULL";

    private const string TakeBack =
        "UPDATE archiver.proofs AS p SET tried_at = $4, error = $5 WHERE p.source = $1 AND p.proof = $2 AND p.tried_at = $3";

    private const string Position = "SELECT p.position FROM archiver.proofs AS p WHERE p.source = $1 AND p.proof = $2";

    private const string LastTime = """
        SELECT coalesce((SELECT p.tried_at FROM archiver.proofs AS p WHERE p.source = $1 AND p.proof = $2), (SELECT l.created_at
          FROM archiver.ledger AS l))
        """;

    private const string All = """
        SELECT p.proof, p.state, p.error, p.tried_at, p.done_at, p.seconds, p.checked, p.found::text, p.walked_from, p.walked_at,
               CASE WHEN p.position > 0 THEN p.walk_began_at END,
               (SELECT count(*) FROM archiver.archives AS a WHERE a.source = p.source AND a.id <= p.position AND p.position > 0)
        FROM archiver.proofs AS p
        WHERE p.source = $1
        """;

    /// <summary>
    /// It begins. It counts as tried from here on: one in which the worker dies must not be the first thing that the next worker does, and
    /// the one after it.
    /// </summary>
    public static async Task<ProofAttempt> BeginAsync(
        NpgsqlConnection connection,
        string source,
        Proof proof,
        CancellationToken cancellationToken
    ) =>
        (
            await connection.QueryAsync(
                Begin,
                row => new ProofAttempt(row.GetFieldValue<DateTimeOffset>(0), Instant(row, 1), row.TextOrNull(2)),
                cancellationToken,
                PgParameter.Text(source),
                PgParameter.Text(proof.Name()),
                PgParameter.Text(RunJournal.WorkerName),
                PgParameter.Text(ProofAttempt.NotEnded)
            )
        )[0];

    /// <summary>It was told to stop: it was not tried, and a worker that starts takes it for missed.</summary>
    public static Task TakeBackAsync(
        NpgsqlConnection connection,
        string source,
        Proof proof,
        ProofAttempt attempt,
        CancellationToken cancellationToken
    )
    {
        var parameters = new List<NpgsqlParameter>
        {
            PgParameter.Text(source),
            PgParameter.Text(proof.Name()),
            PgParameter.Instant(attempt.BeganAt),
        };
        if (attempt.TriedBefore is not { } before)
            return connection.ExecuteAsync(TakeBackFirst, cancellationToken, [.. parameters]);
        parameters.AddRange([PgParameter.Instant(before), PgParameter.Text(attempt.ErrorBefore)]);
        return connection.ExecuteAsync(TakeBack, cancellationToken, [.. parameters]);
    }

    /// <summary>It came to its end.</summary>
    /// <param name="connection">To the ledger.</param>
    /// <param name="source">Name of the source.</param>
    /// <param name="proof">Which one.</param>
    /// <param name="result">What it found.</param>
    /// <param name="began">By the database's clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static Task DoneAsync(
        NpgsqlConnection connection,
        string source,
        Proof proof,
        ProofResult result,
        DateTimeOffset began,
        CancellationToken cancellationToken
    ) =>
        connection.ExecuteAsync(
            Done,
            cancellationToken,
            PgParameter.Text(source),
            PgParameter.Text(proof.Name()),
            PgParameter.Text(RunJournal.WorkerName),
            new NpgsqlParameter<double> { TypedValue = result.Seconds },
            PgParameter.Bigint(result.Checked),
            PgParameter.Json(JsonSerializer.Serialize(result.Found, PlainJson.Default.Counts)),
            PgParameter.Bigint(result.Position),
            PgParameter.Instant(began),
            PgParameter.Bool(proof != Proof.Reconcile && result.Position == 0)
        );

    /// <summary>It was skipped, or something failed that says nothing about the archive; what the last one found stays.</summary>
    public static Task NotDoneAsync(
        NpgsqlConnection connection,
        string source,
        Proof proof,
        bool skipped,
        string why,
        CancellationToken cancellationToken
    ) =>
        connection.ExecuteAsync(
            NotDone,
            cancellationToken,
            PgParameter.Text(source),
            PgParameter.Text(proof.Name()),
            PgParameter.Text(skipped ? "skipped" : "failed"),
            PgParameter.Text(RunJournal.WorkerName),
            PgParameter.Text(why)
        );

    /// <summary>The id of the last archive that this walk has read; 0 where a new one begins.</summary>
    public static Task<long> PositionAsync(NpgsqlConnection connection, string source, Proof proof, CancellationToken cancellationToken) =>
        connection.ScalarAsync<long>(Position, cancellationToken, PgParameter.Text(source), PgParameter.Text(proof.Name()));

    /// <summary>When it was last tried, or when the ledger was made.</summary>
    public static async Task<DateTimeOffset> LastTimeAsync(
        NpgsqlConnection connection,
        string source,
        Proof proof,
        CancellationToken cancellationToken
    ) =>
        (
            await connection.QueryAsync(
                LastTime,
                row => row.GetFieldValue<DateTimeOffset>(0),
                cancellationToken,
                PgParameter.Text(source),
                PgParameter.Text(proof.Name())
            )
        )[0];

    public static async Task<IReadOnlyList<ProofStatus>> ReadAsync(
        NpgsqlConnection connection,
        string source,
        CancellationToken cancellationToken
    ) => await connection.QueryAsync(All, Read, cancellationToken, PgParameter.Text(source));

    private static ProofStatus Read(NpgsqlDataReader row) =>
        new()
        {
            Proof = row.GetString(0),
            State = row.GetString(1),
            Error = row.TextOrNull(2),
            TriedAt = row.GetFieldValue<DateTimeOffset>(3),
            DoneAt = Instant(row, 4),
            Seconds = row.GetDouble(5),
            Checked = row.GetInt64(6),
            Found = JsonSerializer.Deserialize(row.GetString(7), PlainJson.Default.SortedCounts)!,
            WalkedFrom = Instant(row, 8),
            WalkedAt = Instant(row, 9),
            WalkBeganAt = Instant(row, 10),
            WalkChecked = row.GetInt64(11),
        };

    private static DateTimeOffset? Instant(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
}
