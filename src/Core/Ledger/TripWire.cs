using System.Globalization;
using System.Text.Json;
using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>
/// Stops a run that would take an unlikely share of a source before it changes anything: a wrong unit or column in a policy looks like a
/// huge backlog. A person accepts the policy once; a longer age takes fewer sessions and needs no new acceptance.
/// </summary>
internal static class TripWire
{
    /// <summary>Below so many sessions a share says nothing.</summary>
    public const long SmallSource = 1000;

    private const string Find = "SELECT a.policy_hash, a.ages::text FROM archiver.acceptances AS a WHERE a.source = $1 AND a.policy = $2";

    private const string Insert = """
        INSERT INTO archiver.acceptances (source, policy, policy_hash, ages, accepted_by) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (source, policy) DO UPDATE
        SET policy_hash = excluded.policy_hash, ages = excluded.ages, accepted_by = excluded.accepted_by, accepted_at = clock_timestamp()
        """;

    /// <summary>Lets the run go on, or not.</summary>
    /// <param name="take">Sessions that it would take.</param>
    /// <exception cref="ArchiverException">Too many, and nobody accepted that; kind Refused.</exception>
    public static async Task CheckAsync(RunContext run, SafetySettings safety, long take, CancellationToken cancellationToken)
    {
        // Then it is a small share, or a small source, whatever the total is: the count can be saved.
        if (take <= SmallSource * safety.MaxShare)
            return;
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        var total = await CountAsync(connection, run, cancellationToken);
        if (!Trips(total, take, safety) || await IsAcceptedAsync(connection, run.Source, run.Policy, cancellationToken))
            return;
        throw new ArchiverException(
            FailureKind.Refused,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{run.Policy.FullName} would take {take} of {total} sessions, more than Archiver:Safety:MaxShare ({safety.MaxShare:P0}). "
                    + $"Nothing was changed. If that is right: archiver accept {run.Policy.FullName}"
            )
        );
    }

    /// <summary>Whether a run that takes so many of all sessions needs to be accepted.</summary>
    public static bool Trips(long total, long take, SafetySettings safety) => total > SmallSource && take > total * safety.MaxShare;

    /// <summary>Whether the policy as it is now, or one with shorter ages and otherwise the same, was accepted.</summary>
    public static async Task<bool> IsAcceptedAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        Policy policy,
        CancellationToken cancellationToken
    )
    {
        var found = (
            await connection.QueryAsync(
                Find,
                row => (Hash: row.GetString(0), Ages: row.GetString(1)),
                cancellationToken,
                PgParameter.Text(source.Name),
                PgParameter.Text(policy.Name)
            )
        ).FirstOrDefault();
        if (found.Hash != PolicyHash.Of(source, policy))
            return false;
        var accepted = JsonSerializer.Deserialize(found.Ages, PlainJson.Default.Seconds)!;
        return PolicyHash.Ages(policy).All(age => age.Value >= accepted.GetValueOrDefault(age.Key, double.MaxValue));
    }

    /// <summary>Accepts the policy as it is now, and notes who did.</summary>
    public static async Task AcceptAsync(
        SourceConnections connections,
        SourceSettings source,
        Policy policy,
        string by,
        CancellationToken cancellationToken
    )
    {
        await using var change = await LedgerTransaction.BeginAsync(connections, source.Name, cancellationToken);
        source = await OptionalParts.OfNowAsync(change.Connection, source, cancellationToken);
        await change.Connection.ExecuteAsync(
            Insert,
            cancellationToken,
            PgParameter.Text(source.Name),
            PgParameter.Text(policy.Name),
            PgParameter.Text(PolicyHash.Of(source, policy)),
            PgParameter.Json(JsonSerializer.Serialize(PolicyHash.Ages(policy), PlainJson.Default.Seconds)),
            PgParameter.Text(by)
        );
        await change.AuditAsync(new(by, "accept", source.Name, policy.Name), cancellationToken);
        await change.CommitAsync(cancellationToken);
    }

    private static async Task<long> CountAsync(NpgsqlConnection connection, RunContext run, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.ReadOnly(run.Batch.StatementTimeout * 10), cancellationToken);
        return await connection.ScalarAsync<long>($"SELECT count(*) FROM {run.Source.Map.Session.Sql} AS s", cancellationToken);
    }
}
