using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Selection;

/// <summary>
/// Finds the sessions a policy takes, oldest first, page by page. Selection is by state: nothing is remembered between runs, so a session
/// that failed or changed is found again by the next run. Within a run each session is selected at most once.
/// </summary>
internal sealed class BatchSelector(RunContext run)
{
    private readonly SelectionStatements _statements = new(run);
    private readonly Queue<SelectedSession> _candidates = new();
    private PageMark? _mark;
    private bool _lastPage;

    /// <summary>The next batch within the bounds, or null when no session is left.</summary>
    /// <param name="most">Bound on top of the batch settings: what is left of the run's MaxSessions.</param>
    public async Task<SelectedBatch?> NextAsync(long most, CancellationToken cancellationToken)
    {
        var sessions = (int)Math.Min(most, run.Batch.Sessions);
        if (sessions <= 0)
            return null;
        while (_candidates.Count < run.Batch.Sessions && !_lastPage)
            await ReadPageAsync(cancellationToken);
        return SelectedBatch.Take(_candidates, run.Batch with { Sessions = sessions });
    }

    private async Task ReadPageAsync(CancellationToken cancellationToken)
    {
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.ReadOnly(run.Batch.StatementTimeout), cancellationToken);
        var page = await CandidatesAsync(connection, cancellationToken);
        // Not before: the page names no keys, and without an index for its policy a scan is the right way.
        await connection.ExecuteAsync(TransactionSettings.ByKey, cancellationToken);
        var sessions = await WithSizesAsync(connection, [.. page.Select(p => p.Session)], cancellationToken);
        // All of it at the end: after a failure in between the page is read again.
        _lastPage = page.Count < run.Batch.Sessions;
        _mark = page.Count == 0 ? _mark : page[^1].Mark;
        foreach (var session in sessions)
            _candidates.Enqueue(session);
    }

    private async Task<List<(SelectedSession Session, PageMark Mark)>> CandidatesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var parameters = new SqlParameters();
        var sql = _statements.Page(parameters, _mark, run.Batch.Sessions);
        return await connection.QueryAsync(sql, Read, cancellationToken, parameters.ToArray());
    }

    private (SelectedSession Session, PageMark Mark) Read(NpgsqlDataReader row) => (
        new SelectedSession
        {
            Key = row.GetString(0),
            ExternalId = row.TextOrNull(1),
            User = row.TextOrNull(2),
            Created = row.TextOrNull(3),
            LastActivity = row.TextOrNull(4),
            Month = row.GetString(5),
            Keep = KeptColumns.ForJsonb(row.TextOrNull(6)),
            Generation = row.GetInt32(8),
            Rows = _statements.WholeSessions ? 1 : 0,
            Bytes = _statements.WholeSessions ? row.GetInt64(9) : 0,
            LastActivityEpoch = row.GetDouble(10),
            FirstActivity = row.TextOrNull(11),
            FirstActivityEpoch = row.GetDouble(12),
        },
        new PageMark(row.GetString(7), row.GetString(0)));

    private async Task<IEnumerable<SelectedSession>> WithSizesAsync(
        NpgsqlConnection connection, List<SelectedSession> sessions, CancellationToken cancellationToken)
    {
        if (sessions.Count == 0)
            return [];
        var sized = sessions.ToDictionary(s => s.Key, StringComparer.Ordinal);
        foreach (var child in run.Source.Map.Children)
        {
            var parameters = new SqlParameters();
            var sql = _statements.Sizes(child, parameters, sessions.Select(s => s.Key));
            foreach (var (key, rows, bytes, youngest, last, oldest, first) in await connection.QueryAsync(
                sql, row => (row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.TextOrNull(3), row.IsDBNull(4) ? 0 : row.GetDouble(4), row.TextOrNull(5), row.IsDBNull(6) ? 0 : row.GetDouble(6)),
                cancellationToken, parameters.ToArray()))
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
        return sessions.Select(s => sized[s.Key]);
    }
}
