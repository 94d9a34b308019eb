using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Discard;

/// <summary>How far each old object of a source is on its way to its discard: announced, due, held. Reads only.</summary>
internal sealed class DiscardQueue(
    SourceConnections connections,
    ArchiverSettings settings,
    string location,
    SourceSettings source,
    TimeSpan after
)
{
    /// <summary>Objects under one hold lock and in one ledger transaction: <c>hold add</c> waits for no more than these.</summary>
    private const int Group = 64;

    /// <summary>How many are at which step.</summary>
    public async Task<DiscardReport> CountAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.ReadOnly(settings.Batch.StatementTimeout * 10), cancellationToken);
        var steps = (
            await connection.QueryAsync(
                DiscardStatements.Count(await UserAsync(connection, cancellationToken)),
                row =>
                    (
                        Step: row.GetString(0),
                        Count: new DiscardCount(row.GetInt64(1), row.GetInt64(2), row.GetInt64(3)),
                        Due: row.TextOrNull(4)
                    ),
                cancellationToken,
                Parameters()
            )
        ).ToDictionary(s => s.Step, StringComparer.Ordinal);
        DiscardCount Of(string step) => steps.TryGetValue(step, out var found) ? found.Count : DiscardCount.None;
        return new()
        {
            Source = source.Name,
            Outcome = RunOutcome.Done,
            Plan = true,
            Discarded = Of("due"),
            Announced = Of("unannounced"),
            Waiting = Of("announced"),
            Held = Of("held"),
            Unknown = Of("unknown"),
            NextDue = steps.TryGetValue("announced", out var next) ? next.Due : null,
        };
    }

    /// <summary>What was being destroyed when a process died, and may not go any more.</summary>
    public async Task<List<OldObject>> InterruptedAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await connection.QueryAsync(
            DiscardStatements.Interrupted(await UserAsync(connection, cancellationToken)),
            Read,
            cancellationToken,
            Parameters()
        );

    /// <summary>The next objects of a step, by id.</summary>
    public async Task<IReadOnlyList<OldObject>> PageAsync(string step, long last, CancellationToken cancellationToken)
    {
        await using var connection = await connections.OpenAsync(cancellationToken);
        return await connection.QueryAsync(
            DiscardStatements.Page(await UserAsync(connection, cancellationToken)),
            Read,
            cancellationToken,
            Parameters(PgParameter.Text(step), PgParameter.Bigint(last), PgParameter.Int(Group))
        );
    }

    /// <summary>Which of them are still at that step; asked under the hold lock.</summary>
    public async Task<IReadOnlyList<OldObject>> StillAsync(
        NpgsqlConnection connection,
        string step,
        IReadOnlyList<OldObject> page,
        CancellationToken cancellationToken
    )
    {
        var ids = (
            await connection.QueryAsync(
                DiscardStatements.Still(await UserAsync(connection, cancellationToken)),
                row => row.GetInt64(0),
                cancellationToken,
                Parameters(PgParameter.Text(step), PgParameter.Bigints(page.Select(o => o.Id)))
            )
        ).ToHashSet();
        return [.. page.Where(o => ids.Contains(o.Id))];
    }

    // Asked each time: what a hold covers is decided by the column as it is now.
    private Task<ColumnShape?> UserAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        SameUser.ColumnAsync(connection, source.Map, cancellationToken);

    private static OldObject Read(NpgsqlDataReader row) =>
        new(row.GetInt64(0), new(row.GetString(1), row.TextOrNull(2)), row.GetInt64(3), row.GetInt64(4));

    private NpgsqlParameter[] Parameters(params NpgsqlParameter[] more) =>
        DiscardStatements.Parameters(location, source.Name, after, settings.Discard, more);
}
