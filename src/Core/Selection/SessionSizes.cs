using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Selection;

/// <summary>
/// Rows, bytes and times of some sessions, by one query a child table that reads every row of theirs: for what is counted and not read,
/// such as a plan or a purge, and for one large session, whose statements may take longer in proportion.
/// </summary>
internal static class SessionSizes
{
    /// <summary>The same sessions in the same order, with what their rows add up to.</summary>
    public static async Task<IReadOnlyList<SelectedSession>> ReadAsync(
        NpgsqlConnection connection,
        RunContext run,
        SelectionStatements statements,
        IReadOnlyList<SelectedSession> sessions,
        CancellationToken cancellationToken
    )
    {
        if (sessions.Count == 0)
            return [];
        var sized = sessions.ToDictionary(s => s.Key, StringComparer.Ordinal);
        foreach (var child in run.Source.Map.Children)
        {
            var parameters = new SqlParameters();
            var sql = statements.Sizes(child, parameters, sessions.Select(s => s.Key));
            foreach (
                var (key, rows, bytes, youngest, last, oldest, first) in await connection.QueryAsync(
                    sql,
                    row =>
                        (
                            row.GetString(0),
                            row.GetInt64(1),
                            row.GetInt64(2),
                            row.TextOrNull(3),
                            row.IsDBNull(4) ? 0 : row.GetDouble(4),
                            row.TextOrNull(5),
                            row.IsDBNull(6) ? 0 : row.GetDouble(6)
                        ),
                    cancellationToken,
                    parameters.ToArray()
                )
            )
            {
                var session = sized[key];
                sized[key] = session.WithTime(youngest, last).WithTime(oldest, first) with
                {
                    Rows = session.Rows + rows,
                    Bytes = session.Bytes + bytes,
                    Messages = child.Name == SourceMap.MessagesName ? rows : session.Messages,
                };
            }
        }
        return [.. sessions.Select(s => sized[s.Key])];
    }
}
