using Archiver.Core.Ledger;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Status;

/// <summary>
/// How much a policy has to do and how late it is, by the predicate that selects. The bytes are estimated: to add them all up would read
/// every message.
/// </summary>
internal sealed class BacklogReader(ArchiverSettings settings)
{
    /// <summary>Sessions whose sizes stand for those of all.</summary>
    private const int Sample = 200;

    /// <exception cref="NpgsqlException">The server failed; a count that takes longer than a statement may is such a failure.</exception>
    public async Task<PolicyStatus> ReadAsync(
        NpgsqlConnection connection,
        RunContext run,
        PolicyStatus status,
        CancellationToken cancellationToken
    )
    {
        var (eligible, late) = await CountAsync(connection, run, cancellationToken);
        var first =
            eligible == 0
                ? null
                : await new BatchSelector(run with { Batch = run.Batch with { Sessions = Sample } }).NextAsync(Sample, cancellationToken);
        return status with
        {
            Eligible = eligible,
            EligibleBytes = first is null ? 0 : (long)((double)first.Bytes / first.Sessions.Count * eligible),
            SecondsPastCutOff = late,
            TripWire = await TripsAsync(connection, run, eligible, cancellationToken),
        };
    }

    private static async Task<(long Eligible, double Late)> CountAsync(
        NpgsqlConnection connection,
        RunContext run,
        CancellationToken cancellationToken
    )
    {
        var parameters = new SqlParameters();
        var sql = $"""
            SELECT count(*), coalesce(extract(epoch FROM max({Late(run, parameters)})), 0)::float8
            {new SelectionStatements(run).Eligible(parameters)}
            """;
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.ReadOnly(run.Batch.StatementTimeout), cancellationToken);
        return (await connection.QueryAsync(sql, row => (row.GetInt64(0), row.GetDouble(1)), cancellationToken, parameters.ToArray()))[0];
    }

    /// <summary>
    /// For how long a session has met the ages that its own columns date, or has had rows that the policy takes of it: the youngest of
    /// these decides.
    /// </summary>
    private static string Late(RunContext run, SqlParameters parameters)
    {
        var (table, policy) = (run.Source.Map.Session, run.Policy);
        var rows = RowChoice.Of(run.Source, run.Shape, policy, run.Cutoffs);
        List<string> since = rows?.Late(parameters) is { } late ? [late] : [];
        if (policy.IdleFor is { } idle)
        {
            since.AddRange(table.Activity.Select(c => Since(c, idle)));
            if (table.Ended is { } ended)
                since.Add(Since(ended, idle));
        }
        foreach (
            var (age, time) in new[]
            {
                (policy.EndedFor, table.Ended),
                (rows is null ? policy.DeletedFor : null, table.Deleted),
                (policy.ExpiredFor, table.Expires),
            }
        )
        {
            if (age is { } value && time is not null)
                since.Add(Since(time, value));
        }
        return since.Count == 0 ? "interval '0'" : $"least({string.Join(", ", since)})";

        string Since(TimeColumn time, TimeSpan age)
        {
            var instant = TimeSql.Of(run.Source, run.Shape, time).Instant(parameters);
            return $"CASE WHEN isfinite({instant}) THEN {parameters.Add(PgParameter.Instant(run.Cutoffs.Before(age)))} - {instant} END";
        }
    }

    private async Task<bool> TripsAsync(NpgsqlConnection connection, RunContext run, long eligible, CancellationToken cancellationToken)
    {
        var take = Math.Min(eligible, run.Policy.MaxSessions ?? long.MaxValue);
        if (take <= TripWire.SmallSource * settings.Safety.MaxShare)
            return false;
        long total;
        await using (var transaction = await connection.BeginTransactionAsync(cancellationToken))
        {
            await connection.ExecuteAsync(TransactionSettings.ReadOnly(settings.Batch.StatementTimeout), cancellationToken);
            total = await connection.ScalarAsync<long>($"SELECT count(*) FROM {run.Source.Map.Session.Sql} AS s", cancellationToken);
        }
        return TripWire.Trips(total, take, settings.Safety)
            && !await TripWire.IsAcceptedAsync(connection, run.Source, run.Policy, cancellationToken);
    }
}
