using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Inspection;

/// <summary>
/// Asks the server about what only it can judge: conditions that somebody wrote, and its time zones. Nothing is executed or changed.
/// </summary>
internal sealed class ExpressionProbe(NpgsqlConnection connection, NpgsqlTransaction transaction, Findings findings)
{
    private const string Savepoint = "probe";

    public async Task CheckAsync(SourceCatalog catalog, CancellationToken cancellationToken)
    {
        // pg_timezone_names takes 200 ms: it opens every file of the time zone database.
        const string zone = "SELECT clock_timestamp() AT TIME ZONE $1";
        var source = catalog.Source;
        if (source.TimeZone != "UTC" && await ErrorAsync(zone, cancellationToken, PgParameter.Text(source.TimeZone)) is not null)
            findings.Problem(
                $"The server does not know the time zone '{source.TimeZone}' of source '{source.Name}': set TimeZone to one "
                    + "that SELECT name FROM pg_timezone_names lists."
            );

        // Without table or privilege every condition would fail for a reason that is reported already.
        if (
            catalog.Table(SourceMap.SessionName) is not { } session
            || catalog.Relation(session) is not { CanSelect: true, SchemaUsage: true, HidesRows: false }
        )
            return;
        foreach (var policy in source.Policies.Where(p => p.Where is not null))
            await CheckWhereAsync(policy, catalog.Map.Session, cancellationToken);
    }

    /// <summary>
    /// The condition must be one expression: <c>a) OR (b</c> is SQL inside parentheses and would undo every other condition of the policy.
    /// No text is balanced in both frames unless it is balanced itself.
    /// </summary>
    private async Task CheckWhereAsync(Policy policy, SessionTable session, CancellationToken cancellationToken)
    {
        var parenthesised = $"EXPLAIN SELECT FROM {session.Sql} AS s WHERE (\n{policy.Where}\n)";
        var framed = $"EXPLAIN SELECT FROM {session.Sql} AS s WHERE CASE WHEN\n{policy.Where}\nTHEN true END";
        var error = await ErrorAsync(parenthesised, cancellationToken) ?? await ErrorAsync(framed, cancellationToken);
        if (error is not null)
            findings.Problem(
                $"The server refuses Where of policy '{policy.FullName}': {Reason(error)} ({error.SqlState}). It is one "
                    + "condition on the session row s, such as s.tokens > 100; functions and tables outside pg_catalog need their schema."
            );
    }

    // Said of a statement with $1 in it and no value for that; selection would give it one of its own.
    private static string Reason(PostgresException error) =>
        error.SqlState == PostgresErrorCodes.ProtocolViolation ? "it cannot have parameters such as $1" : error.MessageText;

    private async Task<PostgresException?> ErrorAsync(string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        await transaction.SaveAsync(Savepoint, cancellationToken);
        try
        {
            await connection.ExecuteAsync(sql, cancellationToken, parameters);
            return null;
        }
        catch (PostgresException exception)
            when (exception.SqlState == PostgresErrorCodes.ProtocolViolation
                || (!PgErrors.IsTransient(exception) && !exception.IsStatementTimeout())
            )
        {
            return exception;
        }
        finally
        {
            if (connection.State == System.Data.ConnectionState.Open)
                await transaction.RollbackAsync(Savepoint, CancellationToken.None);
        }
    }
}
