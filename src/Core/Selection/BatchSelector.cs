using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Selection;

/// <summary>
/// Finds the sessions a policy takes, oldest first, page by page. Selection is by state: nothing is remembered between runs, so a session
/// that failed or changed is found again by the next run. Within a run each session is selected at most once.
/// </summary>
/// <param name="run">The run.</param>
/// <param name="measured">
/// Whether the rows and bytes of each session are asked for. An export counts them itself, and gives back what does not fit.
/// </param>
internal sealed class BatchSelector(RunContext run, bool measured = true)
{
    private readonly TypicalSession _typical = new(run);
    private SelectionStatements _statements = new(run);
    private Queue<SelectedSession> _candidates = new();
    private PageMark? _mark;
    private bool _lastPage;

    /// <summary>The next batch within the bounds, or null when no session is left.</summary>
    /// <param name="most">Bound on top of the batch settings: what is left of the run's MaxSessions.</param>
    public async Task<SelectedBatch?> NextAsync(long most, CancellationToken cancellationToken)
    {
        if (most <= 0)
            return null;
        while (_candidates.Count < run.Batch.Sessions && !_lastPage)
            await ReadPageAsync(cancellationToken);
        return SelectedBatch.Take(
            _candidates,
            run.Batch with
            {
                Sessions = (int)Math.Min(most, measured ? run.Batch.Sessions : _typical.Sessions),
            }
        );
    }

    /// <summary>What did not fit into a batch comes first into the next.</summary>
    public void GiveBack(IEnumerable<SelectedSession> sessions) => _candidates = new([.. sessions, .. _candidates]);

    /// <summary>So many sessions have so much, as an export has counted: the next batch is taken to be like them.</summary>
    public void Learn(int sessions, long rows, long bytes) => _typical.Learn(sessions, rows, bytes);

    /// <summary>The tables are these from now on: a page that asks for a column that is gone would end the run.</summary>
    public void Follow(SourceShape shape) => _statements = new(run with { Shape = shape });

    private async Task ReadPageAsync(CancellationToken cancellationToken)
    {
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.ReadOnly(run.Batch.StatementTimeout), cancellationToken);
        var page = await CandidatesAsync(connection, cancellationToken);
        // Not before: the page names no keys, and without an index for its policy a scan is the right way.
        await connection.ExecuteAsync(TransactionSettings.ByKey, cancellationToken);
        List<SelectedSession> selected = [.. page.Select(p => p.Session)];
        var sessions = measured ? await SessionSizes.ReadAsync(connection, run, _statements, selected, cancellationToken) : selected;
        if (!measured && _mark is null)
            await _typical.ReadAsync(connection, cancellationToken);
        // All of it at the end: after a failure in between the page is read again.
        _lastPage = page.Count < run.Batch.Sessions;
        _mark = page.Count == 0 ? _mark : page[^1].Mark;
        foreach (var session in sessions)
            _candidates.Enqueue(session);
    }

    private async Task<List<(SelectedSession Session, PageMark Mark)>> CandidatesAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        var parameters = new SqlParameters();
        var sql = _statements.Page(parameters, _mark, run.Batch.Sessions);
        return await connection.QueryAsync(sql, Read, cancellationToken, parameters.ToArray());
    }

    private (SelectedSession Session, PageMark Mark) Read(NpgsqlDataReader row) =>
        (
            SelectedSession.Read(row) with
            {
                Generation = row.GetInt32(SelectedSession.Columns + 1),
                Rows = _statements.WholeSessions ? 1 : 0,
                Bytes = _statements.WholeSessions ? row.GetInt64(SelectedSession.Columns + 2) : 0,
            },
            new PageMark(row.GetString(SelectedSession.Columns), row.GetString(0))
        );
}
