using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Npgsql;

namespace Archiver.Core.Export;

/// <summary>Copies the rows of an export's sessions out of its snapshot, table by table, until the batch is full.</summary>
/// <param name="connection">In the export's transaction.</param>
/// <param name="statements">For the tables under its lock.</param>
/// <param name="sessions">Those to read, in the order of the batch.</param>
/// <param name="timeZone">Of times without one.</param>
/// <param name="fill">Counts, and says where the batch ends.</param>
/// <param name="patience">
/// Bytes that are read and thrown away after the end of a batch, before the server is told to stop: the telling makes an error in its log,
/// which a usual overrun is not worth; a session of gigabytes is.
/// </param>
internal sealed class SnapshotCopy(
    NpgsqlConnection connection,
    ExportStatements statements,
    IReadOnlyList<SelectedSession> sessions,
    string timeZone,
    BatchFill fill,
    long patience
)
{
    public async Task ReadAsync(DocumentAssembler assembler, IReadOnlyList<TableRows> tables, CancellationToken cancellationToken)
    {
        await SetKeysAsync(cancellationToken);
        if (fill.LongestRow < long.MaxValue)
            await connection.ExecuteAsync("SAVEPOINT batch", cancellationToken);
        for (var table = 0; table < tables.Count && fill.End > 0; table++)
        {
            if (await CopyAsync(assembler, tables[table], table, cancellationToken))
                continue;
            // The snapshot and the locks are older than the savepoint, and stay.
            await connection.ExecuteAsync("ROLLBACK TO SAVEPOINT batch", cancellationToken);
            await SetKeysAsync(cancellationToken);
        }
    }

    private Task<int> SetKeysAsync(CancellationToken cancellationToken) =>
        connection.ExecuteAsync(
            ExportStatements.SetKeys,
            cancellationToken,
            PgParameter.Texts(sessions.Take(fill.End).Select(s => s.Key)),
            PgParameter.Text(timeZone)
        );

    private async Task<bool> CopyAsync(DocumentAssembler assembler, TableRows rows, int table, CancellationToken cancellationToken)
    {
        // The StreamReader is only the handle: its base stream has the bytes as the server sent them.
        using var copy = (StreamReader)await connection.BeginTextExportAsync(statements.Copy(rows.Table), cancellationToken);
        using (var reader = new CopyTextReader(copy.BaseStream, rows.FieldCount, fill.LongestRow))
        {
            if (await assembler.AddTableAsync(table, reader, cancellationToken))
                return true;
        }
        var thrown = new byte[64 * 1024];
        for (long rest = 0, read; (read = await copy.BaseStream.ReadAsync(thrown, cancellationToken)) > 0; )
        {
            if ((rest += read) <= patience)
                continue;
            await ((NpgsqlRawCopyStream)copy.BaseStream).CancelAsync();
            break;
        }
        return false;
    }
}
