using System.Buffers;
using Archiver.Core.Documents;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;

namespace Archiver.Core.Export;

/// <summary>
/// Puts documents together in one pass over the tables' rows, which arrive table by table in the order of the batch. The rows of the last
/// table go straight into their documents, those of earlier tables are held until then. In a batch of one session every row goes straight
/// through, so that a session of any size needs no more memory than its largest row. A batch ends where its bounds say so: what was begun
/// of the session after them is thrown away.
/// </summary>
internal sealed class DocumentAssembler(
    IReadOnlyList<SelectedSession> sessions,
    DocumentFields fields,
    IReadOnlyList<TableRows> tables,
    DocumentCompressor compressor,
    BatchFill fill
)
{
    private readonly int _count = sessions.Count;
    private readonly byte[][] _openings =
    [
        .. tables.Skip(1).Select((t, i) => DocumentFields.Opening(t.Table.Name, IsFirstRelated(tables, i + 1))),
    ];
    private ArrayBufferWriter<byte> _output = compressor.Rent();
    private int _open = -1;

    /// <summary>
    /// Reads all rows of one table; tables come in their order, the session table first. False when the batch ended before they did.
    /// </summary>
    /// <exception cref="InvalidDataException">Rows are not in the order of the batch.</exception>
    public async Task<bool> AddTableAsync(int table, CopyTextReader reader, CancellationToken cancellationToken)
    {
        var direct = _count == 1 || (table > 0 && table == tables.Count - 1);
        if (table > 0 && _count == 1 && Exists(0))
            OpenSection(table);
        fill.BeginTable();
        var last = -1;
        while (await reader.ReadAsync(cancellationToken))
        {
            var session = TableRows.SessionOf(reader);
            if (session < last)
                throw new InvalidDataException($"Rows of {tables[table].Table.Table} did not arrive in the order of the batch.");
            last = session;
            // Rows without a session row in this snapshot are orphans: not part of any document, and never deleted by us.
            if (table > 0 && !Exists(session))
                continue;
            if (!fill.Add(session, reader.RowLength))
                return false;
            if (!direct)
            {
                tables[table].Hold(session, reader);
                continue;
            }
            if (_count > 1)
                await AdvanceAsync(session, cancellationToken);
            else if (table == 0)
                OpenUnlessOpen(0);
            if (reader.RowLength < DocumentCompressor.ChunkBytes)
                tables[table].WriteRow(_output, session, reader);
            else
                await tables[table].WriteLongRowAsync(_output, session, reader, () => FlushAndRentAsync(cancellationToken));
            if (_output.WrittenCount >= DocumentCompressor.ChunkBytes)
                await FlushAsync(last: false, cancellationToken);
        }
        if (table > 0 && _count == 1 && Exists(0))
            _output.Write("]"u8);
        return fill.EndTable();
    }

    /// <summary>Finishes every document of the batch that is still open or has no rows in the last table.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        if (_count > 1)
            await AdvanceAsync(fill.End, cancellationToken);
        else if (Exists(0))
        {
            OpenUnlessOpen(0);
            await CloseDocumentAsync(cancellationToken);
        }
    }

    /// <summary>Whether the snapshot has the session's own row.</summary>
    public bool Exists(int session) => tables[0].FingerprintOf(session).Rows == 1;

    private static bool IsFirstRelated(IReadOnlyList<TableRows> tables, int table) =>
        table == tables.Skip(1).TakeWhile(t => t.Table.Name == Settings.SourceMap.MessagesName).Count() + 1;

    /// <summary>Closes the open document and writes those in between, until the document of <paramref name="session"/> is open.</summary>
    private async ValueTask AdvanceAsync(int session, CancellationToken cancellationToken)
    {
        while (_open < session)
        {
            if (_open >= 0 && Exists(_open))
            {
                if (tables.Count > 1)
                    _output.Write("]"u8);
                await CloseDocumentAsync(cancellationToken);
            }
            _open++;
            if (_open < fill.End && Exists(_open))
                OpenWithHeldRows(_open);
        }
    }

    private void OpenWithHeldRows(int session)
    {
        OpenUnlessOpen(session);
        for (var table = 1; table < tables.Count; table++)
        {
            _output.Write(_openings[table - 1]);
            if (table == tables.Count - 1)
                break;
            _output.Write(tables[table].HeldFor(session));
            _output.Write("]"u8);
        }
    }

    private void OpenUnlessOpen(int session)
    {
        if (_count > 1 || _open < 0)
        {
            fields.WriteHead(_output, sessions[session].Generation);
            _output.Write(tables[0].HeldFor(session));
            _open = session;
        }
    }

    private void OpenSection(int table)
    {
        OpenUnlessOpen(0);
        _output.Write(_openings[table - 1]);
    }

    private async ValueTask CloseDocumentAsync(CancellationToken cancellationToken)
    {
        _output.Write(tables.Skip(1).Any(t => t.Table.Name != Settings.SourceMap.MessagesName) ? "}}\n"u8 : "}\n"u8);
        await FlushAsync(last: true, cancellationToken);
    }

    private async ValueTask<ArrayBufferWriter<byte>> FlushAndRentAsync(CancellationToken cancellationToken)
    {
        await FlushAsync(last: false, cancellationToken);
        return _output;
    }

    private async ValueTask FlushAsync(bool last, CancellationToken cancellationToken)
    {
        await compressor.AddAsync(new(_open, _output, last), cancellationToken);
        _output = compressor.Rent();
    }
}
