using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Selection;

/// <summary>
/// How many sessions a batch will hold, by those of the batch before, and before the first by the server's statistics: where sessions are
/// large, a thousand would be read to keep a hundred. An estimate only: the export counts, and ends the batch at its bounds.
/// </summary>
internal sealed class TypicalSession(RunContext run)
{
    /// <summary>Of the bounds, so that most batches fit as they are taken.</summary>
    private const double Share = 0.9;

    private const string Statistics = "SELECT c.oid::bigint, c.reltuples::float8 FROM pg_class AS c WHERE c.oid = ANY ($1)";

    // Of one session; zero where nothing is known.
    private double _rows,
        _bytes;

    /// <summary>Sessions to take, at most <c>Batch:Sessions</c>.</summary>
    public int Sessions =>
        (int)Math.Clamp(Math.Min(Fitting(run.Batch.Rows, _rows), Fitting(run.Batch.Bytes, _bytes)), 1, run.Batch.Sessions);

    public void Learn(int sessions, long rows, long bytes)
    {
        // One that is larger than a batch says nothing of others.
        if (sessions > 0 && rows <= run.Batch.Rows && bytes <= SelectedBatch.Large * sessions)
            (_rows, _bytes) = ((double)rows / sessions, (double)bytes / sessions);
    }

    /// <summary>Rows a session by the statistics of the tables; nothing where one was never analyzed.</summary>
    public async Task ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var counts = (
            await connection.QueryAsync(
                Statistics,
                row => (Oid: row.GetInt64(0), Rows: row.GetDouble(1)),
                cancellationToken,
                PgParameter.Oids(run.Shape.Tables.Select(t => t.Oid))
            )
        ).ToDictionary(c => c.Oid, c => c.Rows);
        var sessions = counts.GetValueOrDefault(run.Shape.Session.Oid);
        if (sessions > 0 && counts.Values.All(c => c >= 0))
            _rows = counts.Values.Sum() / sessions;
    }

    private static double Fitting(double bound, double each) => each > 0 ? Share * bound / each : double.MaxValue;
}
