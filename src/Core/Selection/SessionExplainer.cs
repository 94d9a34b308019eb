using Archiver.Core.Ledger;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Selection;

/// <summary>
/// Explains a policy's view of one session with the very conditions that select, so that the answer cannot differ from what a run does.
/// </summary>
internal sealed class SessionExplainer(ArchiverSettings settings, ConnectionCatalog connections)
{
    /// <param name="source">The source.</param>
    /// <param name="policy">One of its policies.</param>
    /// <param name="id">Session key or external id.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task<SessionExplanation> ExplainAsync(SourceSettings source, Policy policy, string id, CancellationToken cancellationToken)
    {
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
        var run = await ReadOnlyContext.MakeAsync(connection, source, policy, settings, connections, cancellationToken);
        var form = KeyForm.Of(run.Source.Map, run.Shape);
        var byKey = await FindAsync(connection, run, given => form.Of("s").Is(form.Parse($"{given}::{form.Type}")), id, cancellationToken);
        if (byKey is not null || run.Source.Map.Session.ExternalId is not { } external)
            return byKey ?? new(null, []);
        return await FindAsync(
            connection,
            run,
            given => $"{SessionPath.Column("s", external)} = {given}::{run.Shape.Session[external].CastType}",
            id,
            cancellationToken
        ) ?? new(null, []);
    }

    private static async Task<SessionExplanation?> FindAsync(
        NpgsqlConnection connection,
        RunContext run,
        Func<string, string> condition,
        string id,
        CancellationToken cancellationToken
    )
    {
        var parameters = new SqlParameters();
        var key = run.Shape.KeyOf(run.Source.Map, "s");
        List<Condition> conditions =
        [
            .. new EligibilityPredicate(run.Source, run.Shape, run.Policy, run.Cutoffs).Conditions(parameters),
            .. new LedgerConditions(run).Of(key, parameters, everyReference: true),
        ];
        var sql = $"""
            SELECT {key}::text, ARRAY[{string.Join(", ", conditions.Select(c => $"coalesce({c.Sql}, false)"))}],
                   ARRAY[{string.Join(", ", conditions.Select(c => $"coalesce(({c.Date?.Invoke(parameters) ?? "NULL"})::text, '')"))}]
            FROM {run.Source.Map.Session.Sql} AS s
            WHERE {condition(parameters.Add(PgParameter.Text(id)))}
            """;
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.ReadOnly(run.Batch.StatementTimeout), cancellationToken);
        try
        {
            var found = await connection.QueryAsync(
                sql,
                row => (Key: row.GetString(0), Met: row.GetFieldValue<bool[]>(1), Dates: row.GetFieldValue<string[]>(2)),
                cancellationToken,
                parameters.ToArray()
            );
            return found is [var session]
                ? new(
                    session.Key,
                    [
                        .. conditions.Select(
                            (c, i) => new ExplainedCondition(c, session.Met[i], session.Dates[i] is { Length: > 0 } date ? date : null)
                        ),
                    ]
                )
                : null;
        }
        catch (PostgresException exception)
            when (exception.SqlState is PostgresErrorCodes.InvalidTextRepresentation or PostgresErrorCodes.NumericValueOutOfRange)
        {
            // Not a value of the key's type, so no session has it as its key.
            return null;
        }
    }
}
