using System.Buffers;
using System.Globalization;
using Archiver.Core.Documents;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Export;

/// <summary>
/// The rows of one table as JSON. Tables that come before the last one of a document are held here until it; their JSON lies in one
/// buffer in the order of the batch, so holding costs no object per row.
/// </summary>
/// <param name="table">The table under the export's lock.</param>
/// <param name="sessions">Sessions of the batch.</param>
/// <param name="time">What dates a row; null where nothing does.</param>
internal sealed class TableRows(TableShape table, int sessions, TimeColumn? time = null)
{
    private readonly int _leading = HasTimeField(table, time) ? 3 : 2;
    private readonly int _time =
        time is null ? -1
        : HasTimeField(table, time) ? 2
        : 2 + table.Columns.TakeWhile(c => c.Name != time!.Column).Count();
    private readonly (long First, long Last)[] _times = time is null
        ? []
        : [.. Enumerable.Repeat((long.MaxValue, long.MinValue), sessions)];

    private readonly byte[][] _names = [.. table.Columns.Select(c => (byte[])[.. DocumentFields.Quoted(c.Name), (byte)':'])];
    private readonly ColumnKind[] _kinds = [.. table.Columns.Select(c => c.Kind)];
    private readonly ArrayBufferWriter<byte> _held = new();
    private readonly (int Start, int End)[] _ranges = new (int, int)[sessions];
    private readonly Fingerprint[] _fingerprints = new Fingerprint[sessions];

    public TableShape Table => table;

    /// <summary>Number of fields of a COPY row of this table.</summary>
    public int FieldCount => _leading + _names.Length;

    public Fingerprint FingerprintOf(int session) => _fingerprints[session];

    /// <summary>
    /// Whether a third field precedes the columns: the row's instant. The first two are the session's position in the batch and the hash of
    /// the row's version. The instant is a field of its own where no column holds it as a timestamptz.
    /// </summary>
    public static bool HasTimeField(TableShape table, TimeColumn? time) =>
        time is not null
        && (time is not { As: TimeForm.Timestamp, At: null, Or: null } || table[time.Column].BaseType != "timestamp with time zone");

    /// <summary>The session with the times of its rows here.</summary>
    public SelectedSession WithTimes(SelectedSession selected, int session) =>
        time is null || _times[session] is var (first, last) && first > last
            ? selected
            : selected
                .WithTime(InstantText.Format(last), InstantText.Epoch(last))
                .WithTime(InstantText.Format(first), InstantText.Epoch(first));

    /// <summary>JSON of the rows held for a session, separated by commas.</summary>
    public ReadOnlySpan<byte> HeldFor(int session) => _held.WrittenSpan[_ranges[session].Start.._ranges[session].End];

    /// <summary>Zero-based position in the batch of the session that the reader's row belongs to.</summary>
    public static int SessionOf(CopyTextReader reader) => int.Parse(reader[0], NumberStyles.None, CultureInfo.InvariantCulture) - 1;

    /// <summary>Holds the reader's row for later.</summary>
    public void Hold(int session, CopyTextReader reader)
    {
        if (_fingerprints[session].Rows == 0)
            _ranges[session].Start = _held.WrittenCount;
        WriteRow(_held, session, reader);
        _ranges[session].End = _held.WrittenCount;
    }

    /// <summary>
    /// Writes the reader's row as a JSON object, a comma before it unless it is the session's first. SQL NULL is an absent key.
    /// </summary>
    public void WriteRow(ArrayBufferWriter<byte> output, int session, CopyTextReader reader)
    {
        BeginRow(output, session, reader);
        var first = true;
        for (var column = 0; column < _names.Length; column++)
        {
            if (BeginColumn(output, column, reader, ref first))
                RowJson.WriteValue(output, reader[_leading + column], _kinds[column]);
        }
        output.Write("}"u8);
    }

    /// <summary>
    /// The same for a row of any length: a long value goes out in pieces, so that it never stands in memory a second time as JSON.
    /// </summary>
    /// <param name="flush">Passes on what was written so far and returns the buffer to go on with.</param>
    public async ValueTask WriteLongRowAsync(
        ArrayBufferWriter<byte> output,
        int session,
        CopyTextReader reader,
        Func<ValueTask<ArrayBufferWriter<byte>>> flush
    )
    {
        BeginRow(output, session, reader);
        var first = true;
        for (var column = 0; column < _names.Length; column++)
        {
            if (!BeginColumn(output, column, reader, ref first))
                continue;
            var length = reader[_leading + column].Length;
            if (length < DocumentCompressor.ChunkBytes || _kinds[column] is not (ColumnKind.Text or ColumnKind.Json))
            {
                RowJson.WriteValue(output, reader[_leading + column], _kinds[column]);
                continue;
            }
            var quote = _kinds[column] == ColumnKind.Text ? "\""u8.ToArray() : [];
            output.Write(quote);
            var spelled = quote.Length == 0 && RowJson.BeginEmbedded(output, reader[_leading + column]);
            for (var at = 0; at < length; )
            {
                var rest = reader[_leading + column][at..];
                var piece = rest[..RowJson.PieceLength(rest, DocumentCompressor.ChunkBytes)];
                at += piece.Length;
                RowJson.WritePiece(output, piece, _kinds[column], spelled);
                output = await flush();
            }
            output.Write(quote);
        }
        output.Write("}"u8);
    }

    private void BeginRow(ArrayBufferWriter<byte> output, int session, CopyTextReader reader)
    {
        output.Write(_fingerprints[session].Rows == 0 ? "{"u8 : ",{"u8);
        _fingerprints[session] = _fingerprints[session]
            .Add(long.Parse(reader[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
        if (_time < 0 || reader.IsNull(_time))
            return;
        var at = InstantText.Parse(reader[_time]);
        _times[session] = (Math.Min(_times[session].First, at), Math.Max(_times[session].Last, at));
    }

    /// <summary>Writes the column's name; false when the value is SQL NULL and the key stays absent.</summary>
    private bool BeginColumn(ArrayBufferWriter<byte> output, int column, CopyTextReader reader, ref bool first)
    {
        if (reader.IsNull(_leading + column))
            return false;
        if (!first)
            output.Write(","u8);
        first = false;
        output.Write(_names[column]);
        return true;
    }
}
