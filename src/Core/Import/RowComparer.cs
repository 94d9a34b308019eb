using System.Buffers;
using System.Globalization;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Import;

/// <summary>
/// Reads the rows of sessions back from their tables and compares them with the documents, inside the transaction that put them there. So
/// a trigger, a default, a cast or a rounding that changed anything is noticed before the commit.
/// </summary>
internal sealed class RowComparer(NpgsqlConnection connection, ImportStatements statements)
{
    /// <summary>By key: the first table whose rows are not the document's. Sessions that are equal are left out.</summary>
    /// <param name="sessions">All of one plan.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="staged">Whether their documents are in the staging tables.</param>
    /// <param name="only">Which rows are compared.</param>
    /// <param name="beside">Whether the session's own row is left out: it is live, and the document's is as it was.</param>
    public async Task<Dictionary<string, PlannedTable>> DifferingAsync(
        IReadOnlyList<StagedSession> sessions,
        CancellationToken cancellationToken,
        bool staged = false,
        RowsChoice only = RowsChoice.All,
        bool beside = false
    )
    {
        await connection.ExecuteAsync(ImportStatements.SetKeys, cancellationToken, PgParameter.Texts(sessions.Select(s => s.Key)));
        Dictionary<string, PlannedTable> differing = new(StringComparer.Ordinal);
        foreach (var table in Compared(sessions[0].Plan).Where(t => !beside || t.Name != SourceMap.SessionName))
        {
            var found = await DigestsAsync(statements.ReadBack(table, staged, only), table.Kept.Count, sessions.Count, cancellationToken);
            for (var i = 0; i < sessions.Count; i++)
            {
                if (found[i] != sessions[i][table.Name].Digest)
                    differing.TryAdd(sessions[i].Key, table);
            }
        }
        return differing;
    }

    /// <summary>
    /// By key, of parts whose documents are in the staging tables: whether their rows are all live, as they were. Parts of which no row is
    /// live are left out. Tables whose rows cannot be told from each other say nothing.
    /// </summary>
    public async Task<Dictionary<string, bool>> LiveAsync(IReadOnlyList<StagedSession> sessions, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync(ImportStatements.SetKeys, cancellationToken, PgParameter.Texts(sessions.Select(s => s.Key)));
        Dictionary<string, bool> live = new(StringComparer.Ordinal);
        HashSet<string> other = new(StringComparer.Ordinal);
        foreach (var table in OfParts(sessions[0].Plan))
        {
            var found = await DigestsAsync(
                statements.ReadBack(table, staged: true, RowsChoice.Documents),
                table.Kept.Count,
                sessions.Count,
                cancellationToken
            );
            foreach (var (session, rows) in sessions.Zip(found))
            {
                if (rows.Rows > 0)
                    live[session.Key] = true;
                if (rows != session[table.Name].Digest)
                    other.Add(session.Key);
            }
        }
        return live.Keys.ToDictionary(k => k, k => !other.Contains(k), StringComparer.Ordinal);
    }

    /// <summary>By key, of the same: hashes that name their live rows.</summary>
    public async Task<Dictionary<string, HashSet<long>>> LiveRowsAsync(
        IReadOnlyList<StagedSession> sessions,
        CancellationToken cancellationToken
    )
    {
        await connection.ExecuteAsync(ImportStatements.SetKeys, cancellationToken, PgParameter.Texts(sessions.Select(s => s.Key)));
        var live = sessions.ToDictionary(s => s.Key, _ => new HashSet<long>(), StringComparer.Ordinal);
        foreach (var table in OfParts(sessions[0].Plan))
        {
            var rows = await connection.QueryAsync(
                statements.LiveRows(table),
                row => (Position: row.GetInt32(0), Row: row.GetInt64(1)),
                cancellationToken
            );
            foreach (var (position, row) in rows)
                live[sessions[position - 1].Key].Add(row);
        }
        return live;
    }

    /// <summary>By key: the tables in which a session has other rows than these.</summary>
    public async Task<Dictionary<string, List<RowsBeside>>> BesideAsync(
        IReadOnlyList<StagedSession> sessions,
        RowsChoice than,
        CancellationToken cancellationToken
    )
    {
        await connection.ExecuteAsync(ImportStatements.SetKeys, cancellationToken, PgParameter.Texts(sessions.Select(s => s.Key)));
        Dictionary<string, List<RowsBeside>> beside = new(StringComparer.Ordinal);
        foreach (var table in Compared(sessions[0].Plan))
        {
            foreach (
                var (position, rows) in await connection.QueryAsync(
                    statements.Beside(table, than),
                    row => (row.GetInt32(0), row.GetInt64(1)),
                    cancellationToken
                )
            )
            {
                var key = sessions[position - 1].Key;
                if (!beside.TryGetValue(key, out var found))
                    beside.Add(key, found = []);
                found.Add(new(key, $"{table.Target!.Table}", rows));
            }
        }
        return beside;
    }

    private IEnumerable<PlannedTable> OfParts(ImportPlan plan) =>
        Compared(plan).Where(t => t.Name != SourceMap.SessionName && statements.HasKey(t));

    // Sessions without a row are in no table; their rows are compared.
    private static IEnumerable<PlannedTable> Compared(ImportPlan plan) => plan.Tables.Where(t => t.Target is { Oid: not TableShape.None });

    private async Task<RowDigest[]> DigestsAsync(string readBack, int columns, int sessions, CancellationToken cancellationToken)
    {
        var digests = new RowDigest[sessions];
        using var row = new RowSink(null);
        using var copy = (StreamReader)await connection.BeginTextExportAsync(readBack, cancellationToken);
        using var reader = new CopyTextReader(copy.BaseStream, columns + 2);
        while (await reader.ReadAsync(cancellationToken))
        {
            for (var i = 1; i <= columns; i++)
            {
                if (i > 1)
                    row.Write("\t"u8);
                row.Write(reader[i]);
            }
            // A cast that lost something: the row counts as another one.
            if (reader[columns + 1] is not [(byte)'t'])
                row.Write("\tlossy"u8);
            var session = int.Parse(reader[0], NumberStyles.None, CultureInfo.InvariantCulture) - 1;
            digests[session] = row.End(digests[session]);
        }
        return digests;
    }
}
