using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Proofs;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Status;

/// <summary>Reads how a source is doing. Changes nothing; every statement is bounded in time.</summary>
internal sealed class StatusReader(ArchiverSettings settings, ConnectionCatalog connections, TimeProvider time)
{
    /// <summary>Days of the trend.</summary>
    public const int Days = 30;

    private const int Runs = 50;

    /// <summary>Damaged archives that are named.</summary>
    private const int NamedDamage = 20;

    private const string Counts = """
        SELECT clock_timestamp(),
               (SELECT count(*) FROM archiver.quarantine AS q WHERE q.source = $1 AND q.quarantined_at IS NOT NULL),
               (SELECT count(*) FROM archiver.quarantine AS q WHERE q.source = $1 AND q.quarantined_at IS NULL),
               (SELECT count(*) FROM archiver.holds AS h WHERE h.source = $1 AND h.removed_at IS NULL)
        """;

    private const string States =
        "SELECT a.state, count(*) FROM archiver.archives AS a WHERE a.source = $1 GROUP BY a.state ORDER BY a.state";

    /// <exception cref="ArchiverException">The ledger is not current.</exception>
    /// <exception cref="NpgsqlException">The server failed.</exception>
    public async Task<SourceStatus> ReadAsync(SourceSettings source, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
        await Migrator.RequireCurrentAsync(connection, cancellationToken);
        await SourceRegistry.CheckAsync(connection, source, cancellationToken);
        source = await OptionalParts.OfNowAsync(connection, source, cancellationToken);
        await RowSecurity.RequireAllRowsAsync(connection, source, cancellationToken);
        var name = PgParameter.Text(source.Name);
        var (at, quarantined, failing, holds) = (
            await connection.QueryAsync(
                Counts,
                row => (row.GetFieldValue<DateTimeOffset>(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3)),
                cancellationToken,
                name
            )
        )[0];
        return new()
        {
            Source = source.Name,
            At = at,
            NotOwner = LedgerOwner.WhyNot((await DatabaseIdentity.ReadAsync(connection, cancellationToken)).Database),
            Quarantined = quarantined,
            Failing = failing,
            Holds = holds,
            Pauses = await PausesAsync(connection, source, cancellationToken),
            Archives = (
                await connection.QueryAsync(
                    States,
                    row => (State: row.GetString(0), Count: row.GetInt64(1)),
                    cancellationToken,
                    PgParameter.Text(source.Name)
                )
            ).ToDictionary(s => s.State, s => s.Count, StringComparer.Ordinal),
            Totals = await RunSums.TotalsAsync(connection, source.Name, cancellationToken),
            Runs = await RunReport.NewestAsync(connection, source.Name, policy: null, Runs, cancellationToken),
            Days = await RunSums.DaysAsync(connection, source.Name, Days, cancellationToken),
            Tables = await TableReader.ReadAsync(connection, source.Map, settings, cancellationToken),
            Policies = await PoliciesAsync(connection, source, cancellationToken),
            Proofs = await ProofsAsync(connection, source.Name, cancellationToken),
            Damaged = await DamageRecords.CountAsync(connection, source.Name, cancellationToken),
            DamagedArchives = await DamageRecords.FirstAsync(connection, source.Name, NamedDamage, cancellationToken),
            Cost = await CostStatus.ReadAsync(connection, source.Name, settings.Cost, cancellationToken),
            ReadIn = time.GetElapsedTime(started),
        };
    }

    private async Task<IReadOnlyList<ProofStatus>> ProofsAsync(
        NpgsqlConnection connection,
        string source,
        CancellationToken cancellationToken
    )
    {
        var recorded = (await ProofRecords.ReadAsync(connection, source, cancellationToken)).ToDictionary(p => p.Proof);
        return
        [
            .. Enum.GetValues<Proof>()
                .Where(p => settings.Schedule.CronOf(p) is not null || recorded.ContainsKey(p.Name()))
                .Select(p => recorded.GetValueOrDefault(p.Name()) ?? new ProofStatus { Proof = p.Name() }),
        ];
    }

    private static async Task<IReadOnlyList<string>> PausesAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        CancellationToken cancellationToken
    )
    {
        var all = await Ledger.Pauses.ListAsync(connection, cancellationToken);
        return [.. all.Where(p => p == "everything" || p == source.Name || p.StartsWith($"{source.Name}/", StringComparison.Ordinal))];
    }

    private async Task<IReadOnlyList<PolicyStatus>> PoliciesAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        CancellationToken cancellationToken
    )
    {
        var last = await RunReport.LastAsync(connection, source.Name, cancellationToken);
        var successes = await RunHistory.SuccessesAsync(connection, source, settings.Schedule.Shards, cancellationToken);
        var backlog = new BacklogReader(settings);
        List<PolicyStatus> policies = [];
        foreach (var policy in source.Policies)
        {
            var status = new PolicyStatus
            {
                Name = policy.Name,
                Action = policy.Action,
                Paused =
                    policy.Paused || await Ledger.Pauses.StoppedByAsync(connection, source, policy.Name, cancellationToken) is not null,
                LastRun = last.GetValueOrDefault(policy.Name),
                LastSuccess = successes[policy.Name].At,
                // A dry run leaves no run behind that could have succeeded.
                NoSuccessSince = policy.DryRun ? null : successes[policy.Name].Since,
            };
            policies.Add(await WithBacklogAsync(connection, source, policy, status, backlog, cancellationToken));
        }
        return policies;
    }

    // A mapping that inspection refuses, or a table too large to be counted in time, must not hide the rest of the status.
    private async Task<PolicyStatus> WithBacklogAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        Policy policy,
        PolicyStatus status,
        BacklogReader backlog,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var run = await ReadOnlyContext.MakeAsync(connection, source, policy, settings, connections, cancellationToken);
            return await backlog.ReadAsync(connection, run, status, cancellationToken);
        }
        catch (ArchiverException exception)
        {
            return status with { Problem = exception.Message };
        }
        catch (PostgresException exception)
            when (exception.SqlState == PostgresErrorCodes.QueryCanceled && !cancellationToken.IsCancellationRequested)
        {
            return status with { Problem = "Counting takes longer than Batch:StatementTimeout allows: is the archiving index there?" };
        }
        catch (PostgresException exception) when (!PgErrors.IsTransient(exception) && !cancellationToken.IsCancellationRequested)
        {
            var problem = await WhereFault.ExplainAsync(connections[source.Name], policy, exception);
            return status with { Problem = (problem ?? await connections[source.Name].ForPersonAsync(exception)).Message };
        }
    }
}
