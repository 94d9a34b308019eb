using System.Globalization;
using System.Text.Json;
using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>
/// Begins and ends runs in the ledger. A run that says <c>running</c> lives as long as its lease is held; the runs of other shards may, so
/// the caller's own lock says nothing about them.
/// </summary>
internal static class RunJournal
{
    private const int EndAttempts = 4;

    /// <summary>This process, as runs and audit name it.</summary>
    public static string WorkerName { get; } =
        string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}/{Environment.ProcessId}");

    /// <summary>Records a run, after settling what earlier runs of the source left behind; returns how many had died.</summary>
    /// <exception cref="ArchiverException">A worker with another number of shards is running on the source; kind Refused.</exception>
    public static Task<long> BeginAsync(
        NpgsqlConnection connection,
        Guid id,
        Policy policy,
        Shard shard,
        Lease lease,
        Cutoffs cutoffs,
        CancellationToken cancellationToken
    ) =>
        BeginAsync(
            connection,
            id,
            policy.Source,
            policy.Name,
            policy.Action.ToString().ToLowerInvariant(),
            shard,
            lease,
            cutoffs,
            cancellationToken
        );

    /// <summary>The same for an action that no policy asks for, such as <c>restore</c>; it has the whole source.</summary>
    public static Task<long> BeginAsync(
        NpgsqlConnection connection,
        Guid id,
        string source,
        string policy,
        string action,
        Lease lease,
        Cutoffs cutoffs,
        CancellationToken cancellationToken
    ) => BeginAsync(connection, id, source, policy, action, Shard.Whole, lease, cutoffs, cancellationToken);

    private static async Task<long> BeginAsync(
        NpgsqlConnection connection,
        Guid id,
        string source,
        string policy,
        string action,
        Shard shard,
        Lease lease,
        Cutoffs cutoffs,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(RunStatements.OneAtATime, cancellationToken, PgParameter.Text(source));
        await RunShards.RequireAgreementAsync(connection, source, shard.Count, cancellationToken);
        var dead = await connection.ScalarAsync<long>(RunStatements.SettleDeadRuns, cancellationToken, PgParameter.Text(source));
        await connection.ExecuteAsync(RunStatements.SettlePending, cancellationToken, PgParameter.Text(source));
        await connection.ExecuteAsync(
            RunStatements.Insert,
            cancellationToken,
            PgParameter.Uuid(id),
            PgParameter.Text(source),
            PgParameter.Text(policy),
            PgParameter.Text(action),
            PgParameter.Instant(cutoffs.Now),
            PgParameter.Text(WorkerName),
            PgParameter.Bigint(lease.Nonce),
            PgParameter.Int(shard.Number),
            PgParameter.Int(shard.Count)
        );
        await transaction.CommitAsync(cancellationToken);
        return dead;
    }

    /// <summary>Adds to a run's counts in the transaction that did it, so that they are of confirmed work even after a crash.</summary>
    public static Task CountAsync(NpgsqlConnection connection, Guid id, RunCounts counts, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(
            RunStatements.Count,
            cancellationToken,
            PgParameter.Uuid(id),
            PgParameter.Bigint(counts.Sessions),
            PgParameter.Bigint(counts.Rows),
            PgParameter.Bigint(counts.JsonBytes),
            PgParameter.Bigint(counts.StoredBytes)
        );

    /// <summary>
    /// Records how a run ended and settles the objects it left pending. Not cancellable: a run that was stopped must still say so.
    /// </summary>
    public static async Task EndAsync(SourceConnections connections, Guid id, string source, RunSummary summary)
    {
        // Connections of the pool that broke during the run are found out one by one, by their use. Not the run's retries: these could take
        // minutes, and a worker that is told to stop while its server is away must stop.
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var connection = await connections.OpenAsync(CancellationToken.None);
                await EndAsync(connection, id, source, summary, CancellationToken.None);
                return;
            }
            catch (Exception exception) when (PgErrors.IsTransient(exception) && attempt < EndAttempts)
            {
                // Tried again at once, on another connection.
            }
        }
    }

    private static async Task EndAsync(
        NpgsqlConnection connection,
        Guid id,
        string source,
        RunSummary summary,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // A standby that is gone must not keep a run from saying so.
        await connection.ExecuteAsync("SET LOCAL synchronous_commit = local", cancellationToken);
        await connection.ExecuteAsync(
            RunStatements.Finish,
            cancellationToken,
            PgParameter.Uuid(id),
            PgParameter.Text(StateOf(summary.Outcome)),
            PgParameter.Bigint(summary.Selected),
            PgParameter.Bigint(summary.Skipped),
            PgParameter.Bigint(summary.Failed),
            PgParameter.Json(JsonSerializer.Serialize(summary.Reasons, PlainJson.Default.Counts)),
            PgParameter.Text(summary.Error)
        );
        await connection.ExecuteAsync(RunStatements.SettlePending, cancellationToken, PgParameter.Text(source));
        await transaction.CommitAsync(cancellationToken);
    }

    private static string StateOf(RunOutcome outcome) =>
        outcome switch
        {
            RunOutcome.Done => "done",
            RunOutcome.Partial => "partial",
            RunOutcome.Failed => "failed",
            RunOutcome.Refused => "refused",
            RunOutcome.Cancelled => "cancelled",
            _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "Such a run is not recorded."),
        };
}
