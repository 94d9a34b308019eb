using System.Buffers;
using System.Globalization;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Restore;

/// <summary>
/// Reads the rows of sessions back from their tables and compares them with the documents, inside the transaction that put them there. So
/// a trigger, a default, a cast or a rounding that changed anything is noticed before the commit.
/// </summary>
internal sealed class RowComparer(NpgsqlConnection connection, ImportStatements statements)
{
    /// <summary>By key: the first table whose rows are not the document's. Sessions that are equal are left out.</summary>
    public async Task<Dictionary<string, PlannedTable>> DifferingAsync(IReadOnlyList<StagedSession> sessions, CancellationToken cancellationToken)
    {
        await connection.ExecuteAsync(
            ImportStatements.SetKeys, cancellationToken, PgParameter.Texts(sessions.Select(s => s.Key))).ConfigureAwait(false);
        Dictionary<string, PlannedTable> differing = new(StringComparer.Ordinal);
        foreach (var table in sessions[0].Plan.Tables.Where(t => t.Target is not null))
        {
            var found = await DigestsAsync(table, sessions.Count, cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < sessions.Count; i++)
            {
                if (found[i] != sessions[i][table.Name].Digest)
                    differing.TryAdd(sessions[i].Key, table);
            }
        }
        return differing;
    }

    private async Task<RowDigest[]> DigestsAsync(PlannedTable table, int sessions, CancellationToken cancellationToken)
    {
        var digests = new RowDigest[sessions];
        var columns = table.Kept.Count;
        var line = new ArrayBufferWriter<byte>(1024);
        using var copy = (StreamReader)await connection.BeginTextExportAsync(statements.ReadBack(table), cancellationToken).ConfigureAwait(false);
        using var reader = new CopyTextReader(copy.BaseStream, columns + 2);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            line.ResetWrittenCount();
            for (var i = 1; i <= columns; i++)
            {
                if (i > 1)
                    line.Write("\t"u8);
                line.Write(reader[i]);
            }
            // A cast that lost something: the row counts as another one.
            if (reader[columns + 1] is not [(byte)'t'])
                line.Write("\tlossy"u8);
            var session = int.Parse(reader[0], NumberStyles.None, CultureInfo.InvariantCulture) - 1;
            digests[session] = digests[session].Add(line.WrittenSpan);
        }
        return digests;
    }
}
