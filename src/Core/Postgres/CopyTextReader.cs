namespace Archiver.Core.Postgres;

/// <summary>
/// Reads rows of <c>COPY ... TO STDOUT</c> in text format as raw bytes, without making a string of any value: fields end at TAB, rows
/// at LF, <c>\N</c> is NULL, and the escapes stay as COPY wrote them. The buffer grows to the longest row, no further.
/// </summary>
/// <param name="stream">The data.</param>
/// <param name="fieldCount">Fields of each row.</param>
/// <param name="longest">
/// Bytes of a row beyond which the rest of it is not read: then only <see cref="RowLength"/>, which is larger, and the first field are
/// right, and the reading has to end.
/// </param>
internal sealed class CopyTextReader(Stream stream, int fieldCount, long longest = long.MaxValue) : IDisposable
{
    private const byte Tab = (byte)'\t',
        LineFeed = (byte)'\n';

    private readonly int[] _ends = new int[fieldCount];
    private byte[] _buffer = LargeBuffer.Rent(128 * 1024);
    private int _row,
        _end;
    private bool _rowRead;

    /// <summary>The escaped bytes of a field of the current row; valid until the next <see cref="ReadAsync"/>.</summary>
    public ReadOnlySpan<byte> this[int field]
    {
        get
        {
            var start = field == 0 ? _row : _ends[field - 1] + 1;
            return _buffer.AsSpan(start, _ends[field] - start);
        }
    }

    /// <summary>Bytes of the current row.</summary>
    public int RowLength => _ends[^1] - _row;

    /// <summary>Whether a field is SQL NULL. A text of backslash and N comes as <c>\\N</c>, so nothing else looks like it.</summary>
    public bool IsNull(int field) => this[field].SequenceEqual("\\N"u8);

    /// <summary>Goes to the next row; false at the end of the data.</summary>
    /// <exception cref="InvalidDataException">
    /// A row has another number of fields than the statement names, or the data end within a row.
    /// </exception>
    public async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        var next = _rowRead ? _ends[^1] + 1 : _row;
        _rowRead = false;
        _row = next;
        var searched = next;
        while (true)
        {
            var found = _buffer.AsSpan(searched, _end - searched).IndexOf(LineFeed);
            if (found >= 0)
            {
                Split(searched + found);
                return _rowRead = true;
            }
            if (_end - _row > longest && _buffer.AsSpan(_row, _end - _row).IndexOf(Tab) is var first and >= 0)
            {
                Array.Fill(_ends, _end);
                _ends[0] = _row + first;
                return true;
            }
            searched = _end;
            if (_end == _buffer.Length)
                searched -= MakeRoom();
            var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
            if (read == 0)
                return _row == _end ? false : throw new InvalidDataException("COPY data ended within a row.");
            _end += read;
        }
    }

    public void Dispose()
    {
        LargeBuffer.Return(_buffer);
        _buffer = [];
    }

    private void Split(int rowEnd)
    {
        var at = _row;
        for (var field = 0; field < fieldCount - 1; field++)
        {
            var tab = _buffer.AsSpan(at, rowEnd - at).IndexOf(Tab);
            if (tab < 0)
                throw WrongCount();
            _ends[field] = at + tab;
            at += tab + 1;
        }
        if (_buffer.AsSpan(at, rowEnd - at).Contains(Tab))
            throw WrongCount();
        _ends[^1] = rowEnd;
    }

    private InvalidDataException WrongCount() => new($"A COPY row does not have the {fieldCount} fields of its statement.");

    /// <summary>
    /// Moves the unfinished row to the front, or into a larger buffer when it fills this one; returns by how much the row moved.
    /// </summary>
    private int MakeRoom()
    {
        var (moved, length) = (_row, _end - _row);
        var target = length > _buffer.Length / 2 ? LargeBuffer.Rent(LargeBuffer.Larger(_buffer.Length)) : _buffer;
        _buffer.AsSpan(_row, length).CopyTo(target);
        if (target != _buffer)
            LargeBuffer.Return(_buffer);
        (_buffer, _row, _end) = (target, 0, length);
        return moved;
    }
}
