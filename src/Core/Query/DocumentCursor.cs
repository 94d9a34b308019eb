using Archiver.Core.Documents;
using Archiver.Core.Settings;
using Archiver.Core.Spool;

namespace Archiver.Core.Query;

/// <summary>
/// Reads the rows of one table out of fetched documents, block by block, and writes the wanted columns. For one thread at a time.
/// </summary>
internal sealed class DocumentCursor(DocumentSpool spool, ScannedColumns columns, Func<int?> nextBlock) : IDisposable
{
    private readonly MemberReader _reader = new();
    private Stream? _block;
    private int _left;
    private SliceStream? _member;
    private GzipMemberStream? _json;
    private DocumentReader? _document;

    /// <summary>Fills rows until there is no room or no more document.</summary>
    /// <returns>How many rows there are.</returns>
    public int Fill(DuckVector[] vectors, int room)
    {
        var row = 0;
        while (row < room && (_document is not null || OpenNext()))
        {
            if (!Done(_document!.ReadAsync(CancellationToken.None)))
                CloseDocument();
            else if (_document.Table == columns.Table)
            {
                columns.Write(vectors, row++, _document.Row);
                if (columns.Table == SourceMap.SessionName)
                    CloseDocument();
            }
        }
        return row;
    }

    public void Dispose()
    {
        _document?.Dispose();
        _json?.Dispose();
        _member?.Dispose();
        _block?.Dispose();
        _reader.Dispose();
    }

    private bool OpenNext()
    {
        while (_left == 0)
        {
            _block?.Dispose();
            _block = null;
            if (nextBlock() is not { } block)
                return false;
            (_block, _left) = spool.Open(block);
        }
        _left--;
        var (archive, shape) = DocumentSpool.ReadHead(_block!);
        columns.Open(archive, shape);
        if (MemberReader.Holds(archive.Archive.Length, archive.Archive.JsonLength))
        {
            _document = Done(
                DocumentReader.OpenAsync(_reader.Read(_block!, archive.Archive.Length, archive.Archive.JsonLength), CancellationToken.None)
            );
            return true;
        }
        _member = new SliceStream(_block!, archive.Archive.Length);
        _json = new GzipMemberStream(_member);
        _document = Done(DocumentReader.OpenAsync(_json, CancellationToken.None));
        return true;
    }

    /// <summary>What is left of its member is passed over: the next one begins after it.</summary>
    private void CloseDocument()
    {
        _document!.Dispose();
        _document = null;
        if (_member is null)
            return;
        _json!.Dispose();
        _member.CopyTo(Stream.Null);
        _member.Dispose();
        (_json, _member) = (null, null);
    }

    // Everything is in memory or in the spool's file: nothing here waits, but DuckDB's threads know no tasks.
    private static T Done<T>(ValueTask<T> task) => task.IsCompletedSuccessfully ? task.Result : task.AsTask().GetAwaiter().GetResult();

    private static T Done<T>(Task<T> task) => task.GetAwaiter().GetResult();
}
