using Archiver.Core.Ledger;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Archiver.Core.Verification;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>
/// Asks the policy once more of whole sessions whose rows are locked and as they were exported (docs/protocol.md rule 10). Its
/// <c>Where</c> may look at rows of other tables, which no fingerprint covers. And what waited for its delete was perhaps stored by a
/// policy that said something else.
/// </summary>
internal static class TakenSessions
{
    /// <summary>The keys of those that the policy takes.</summary>
    public static async Task<IReadOnlySet<string>> AmongAsync(
        NpgsqlConnection connection,
        RunContext run,
        SourceShape shape,
        IReadOnlyList<VerifiedSession> sessions,
        CancellationToken cancellationToken
    )
    {
        var stored = sessions.Any(s => s.Unmarked is not null);
        if (run.Policy.Where is null && !stored)
            return sessions.Select(s => s.Key).ToHashSet(StringComparer.Ordinal);
        var parameters = new SqlParameters();
        // Without a row of their own sessions bear no mark.
        var sql =
            stored && run.Source.Map.Session.HasRow
                ? Unmarked(run, shape, sessions, parameters)
                : Rows(run, shape, sessions.Select(s => s.Key), parameters);
        var taken = await connection.QueryAsync(sql, row => row.GetString(0), cancellationToken, parameters.ToArray());
        return taken.ToHashSet(StringComparer.Ordinal);
    }

    private static string Rows(RunContext run, SourceShape shape, IEnumerable<string> keys, SqlParameters parameters)
    {
        var form = KeyForm.Of(run.Source.Map, shape);
        return $"""
            SELECT {form.Of("s")}::text
            FROM {run.Source.Map.Session.Sql} AS s
            WHERE {KeyMatch.Among(form, parameters.Add(form.Parameter(keys))).Sql(form.Of("s"))} AND {Taken(run, shape, parameters)}
            """;
    }

    /// <summary>
    /// Of the session rows as they were before the mark, which has changed what the policy asks: the status, or by a trigger the activity.
    /// They stay rows of the table's type, so that a condition may give them to a function. It sees no other row beside.
    /// </summary>
    private static string Unmarked(RunContext run, SourceShape shape, IReadOnlyList<VerifiedSession> sessions, SqlParameters parameters)
    {
        var form = KeyForm.Of(run.Source.Map, shape);
        var keys = parameters.Add(PgParameter.Texts(sessions.Select(s => s.Key)));
        var unmarked = parameters.Add(PgParameter.Texts(sessions.Select(s => s.Unmarked)));
        return $"""
            SELECT {form.Of("w")}::text
            FROM unnest({keys}, {unmarked}::json[]) AS n (id, unmarked)
            JOIN {run.Source.Map.Session.Table.Sql} AS w ON {form.Of("w").Is(form.Parse($"n.id::{form.Type}"))}
            WHERE EXISTS (SELECT FROM json_populate_record(w, n.unmarked) AS s WHERE {Taken(run, shape, parameters)})
            """;
    }

    private static string Taken(RunContext run, SourceShape shape, SqlParameters parameters) =>
        new EligibilityPredicate(run.Source, shape, run.Policy, run.Cutoffs).Sql(parameters);
}
