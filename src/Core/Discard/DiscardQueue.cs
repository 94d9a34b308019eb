using Archiver.Core.Diagnostics;
using Archiver.Core.Holds;
using Archiver.Core.Inspection;
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
            await ReadAsync(
                connection,
                (held, _) => DiscardStatements.Count(held),
                row =>
                    (
                        Step: row.GetString(0),
                        Count: new DiscardCount(row.GetInt64(1), row.GetInt64(2), row.GetInt64(3)),
                        Due: row.TextOrNull(4)
                    ),
                cancellationToken
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
            Stored = Of("stored"),
            NextDue = steps.TryGetValue("announced", out var next) ? next.Due : null,
        };
    }

    /// <summary>What was being destroyed when a process died, and may not go any more.</summary>
    public Task<List<OldObject>> InterruptedAsync(CancellationToken cancellationToken) =>
        ReadAsync((held, _) => DiscardStatements.Interrupted(held), cancellationToken);

    /// <summary>The next objects of a step, by id.</summary>
    public async Task<IReadOnlyList<OldObject>> PageAsync(string step, long last, CancellationToken cancellationToken) =>
        await ReadAsync(
            (held, more) =>
                DiscardStatements.Page(
                    held,
                    more.Add(PgParameter.Text(step)),
                    more.Add(PgParameter.Bigint(last)),
                    more.Add(PgParameter.Int(Group))
                ),
            cancellationToken
        );

    /// <summary>Which of them are still at that step; asked under the hold lock.</summary>
    public async Task<IReadOnlyList<OldObject>> StillAsync(
        NpgsqlConnection connection,
        string step,
        IReadOnlyList<OldObject> page,
        CancellationToken cancellationToken
    )
    {
        var ids = (
            await ReadAsync(
                connection,
                (held, more) =>
                    DiscardStatements.Still(held, more.Add(PgParameter.Text(step)), more.Add(PgParameter.Bigints(page.Select(o => o.Id)))),
                row => row.GetInt64(0),
                cancellationToken
            )
        ).ToHashSet();
        return [.. page.Where(o => ids.Contains(o.Id))];
    }

    private async Task<List<OldObject>> ReadAsync(Func<string, SqlParameters, string> sql, CancellationToken cancellationToken)
    {
        await using var connection = await connections.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.ReadOnly(settings.Batch.StatementTimeout * 10), cancellationToken);
        return await ReadAsync(
            connection,
            sql,
            row => new OldObject(
                row.GetInt64(0),
                new(row.GetString(1), row.TextOrNull(2)),
                row.GetInt64(3),
                row.GetInt64(4),
                row.GetBoolean(5)
            ),
            cancellationToken
        );
    }

    private async Task<List<T>> ReadAsync<T>(
        NpgsqlConnection connection,
        Func<string, SqlParameters, string> sql,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancellationToken
    )
    {
        var parameters = DiscardStatements.Parameters(location, source.Name, after, settings.Discard);
        var held = await HeldAsync(connection, parameters, cancellationToken);
        return await connection.QueryAsync(sql(held, parameters), read, cancellationToken, parameters.ToArray());
    }

    // Asked each time: what a hold covers is decided by the tables as they are now. Where nothing is held, and where the session table is
    // gone, archives end without them.
    private async Task<string> HeldAsync(NpgsqlConnection connection, SqlParameters parameters, CancellationToken cancellationToken)
    {
        if (!await connection.ScalarAsync<bool>(DiscardStatements.AnyHold, cancellationToken, PgParameter.Text(source.Name)))
            return "false";
        var now = await OptionalParts.OfNowAsync(connection, source, cancellationToken);
        var shape = await TableDescriber.DescribeAsync(connection, now.Map, cancellationToken);
        if (shape.Tables.Any(t => t.Name == SourceMap.SessionName))
            await MappedTables.RequireAsync(connection, now, cancellationToken);
        return DiscardStatements.Held(HeldSessions.Condition(now, shape, "$2", "k.id", parameters));
    }
}
