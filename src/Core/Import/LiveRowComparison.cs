using Npgsql;

namespace Archiver.Core.Import;

/// <summary>Compares documents with sessions that are in the tables already, before anything is inserted.</summary>
internal sealed class LiveRowComparison(NpgsqlConnection connection, NpgsqlTransaction transaction, ImportTarget into)
{
    private const string Savepoint = "existing";

    private readonly ImportStatements _statements = new(into.Target);
    private readonly RowComparer _comparer = new(connection, new(into.Target));

    /// <summary>By key: the first table whose rows are not the document's, of sessions that are in the tables.</summary>
    public async Task<Dictionary<string, PlannedTable>> DifferingAsync(
        IReadOnlyList<StagedSession> sessions,
        CancellationToken cancellationToken
    )
    {
        var staged = !sessions[0].Plan.ComparesStaged || await TryStageAsync(sessions, cancellationToken);
        return await _comparer.DifferingAsync(sessions, cancellationToken, staged);
    }

    /// <summary>
    /// By key, of sessions that are in the tables: rows beside those of the document, where the document's own are there unchanged. A
    /// session that lacks a row, or has another one in its place, is left out.
    /// </summary>
    public async Task<Dictionary<string, List<RowsBeside>>> WholeAsync(
        IReadOnlyList<StagedSession> sessions,
        CancellationToken cancellationToken
    )
    {
        if (
            !sessions[0].Plan.Tables.Where(t => t.Target is not null).All(_statements.CanFind)
            || !await TryStageAsync(sessions, cancellationToken)
        )
            return [];
        var differing = await _comparer.DifferingAsync(sessions, cancellationToken, staged: true, RowsChoice.Documents);
        List<StagedSession> whole = [.. sessions.Where(s => !differing.ContainsKey(s.Key))];
        return whole.Count == 0 ? [] : await _comparer.BesideAsync(whole, RowsChoice.Documents, cancellationToken);
    }

    /// <summary>
    /// By key, of parts of sessions that are in the tables: whether all their rows are there as they were, or only some or others. Parts of
    /// which no row is there, and those whose rows do not even load, are left out.
    /// </summary>
    public async Task<Dictionary<string, bool>> LiveAsync(IReadOnlyList<StagedSession> parts, CancellationToken cancellationToken) =>
        parts.Count > 0 && await TryStageAsync(parts, cancellationToken) ? await _comparer.LiveAsync(parts, cancellationToken) : [];

    /// <summary>By key, of parts: hashes that name those of their rows that are live, as they were or not.</summary>
    public async Task<Dictionary<string, HashSet<long>>> LiveRowsAsync(
        IReadOnlyList<StagedSession> parts,
        CancellationToken cancellationToken
    ) => parts.Count > 0 && await TryStageAsync(parts, cancellationToken) ? await _comparer.LiveRowsAsync(parts, cancellationToken) : [];

    /// <summary>False when a value does not even load: then its row is not the one in the table either.</summary>
    private async Task<bool> TryStageAsync(IReadOnlyList<StagedSession> sessions, CancellationToken cancellationToken)
    {
        await transaction.SaveAsync(Savepoint, cancellationToken);
        try
        {
            await StagingCopy.FillAsync(connection, _statements, sessions, cancellationToken);
            await transaction.ReleaseAsync(Savepoint, cancellationToken);
            return true;
        }
        catch (PostgresException exception) when (ImportRefusal.IsAboutRows(exception))
        {
            await transaction.RollbackAsync(Savepoint, cancellationToken);
            return false;
        }
    }
}
