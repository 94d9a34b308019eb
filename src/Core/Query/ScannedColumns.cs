using System.Text;
using System.Text.Json;
using Archiver.Core.Documents;

namespace Archiver.Core.Query;

/// <summary>
/// The columns that a scan wants of one table, and how each value gets from a document's row to its place. For one thread at a time.
/// </summary>
/// <param name="view">The view that is scanned.</param>
/// <param name="wanted">Indexes of its columns, in the order of the vectors.</param>
/// <param name="shapes">Tables of the documents by the numbers of their shapes.</param>
internal sealed class ScannedColumns(ViewTable view, IReadOnlyList<int> wanted, IReadOnlyList<IReadOnlyList<DocumentTable>> shapes)
{
    private readonly Dictionary<int, RowColumn[]> _maps = [];
    private readonly bool[] _seen = new bool[wanted.Count];
    private readonly byte[]?[] _texts = new byte[wanted.Count][];
    private readonly long?[] _numbers = new long?[wanted.Count];
    private RowColumn[] _map = [];
    private byte[] _unescaped = [];
    private int _ofRow;

    /// <summary>Name of the table in the documents.</summary>
    public string Table => view.Table;

    /// <summary>What follows are rows of this archive's document.</summary>
    public void Open(QueriedArchive archive, int shape)
    {
        if (!_maps.TryGetValue(shape, out _map!))
            _maps[shape] = _map = Map(shapes[shape]);
        _ofRow = _map.Count(c => c.Slot >= 0);
        for (var slot = 0; slot < wanted.Count; slot++)
        {
            if (Column(slot) is { Row: null } column)
                (_texts[slot], _numbers[slot]) = LedgerValue(archive, column.Name);
        }
    }

    /// <summary>Writes one row.</summary>
    /// <exception cref="UnfitValueException">A value does not fit into its column's type.</exception>
    public void Write(DuckVector[] vectors, int row, ReadOnlySpan<byte> json)
    {
        Array.Clear(_seen);
        var reader = JsonPieces.Over(json);
        reader.Read();
        var (next, left) = (0, _ofRow);
        while (left > 0 && reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var column = Find(ref reader, ref next);
            var begin = (int)reader.BytesConsumed;
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (column.Slot < 0)
                continue;
            var value =
                column.IsJson ? JsonBreaks.Restore(json[begin..End(json, (int)reader.BytesConsumed)])
                : reader.TokenType == JsonTokenType.String ? Unescape(ref reader)
                : json[start..(int)reader.BytesConsumed];
            if (!vectors[column.Slot].TrySet(row, value))
                throw new UnfitValueException(view.Table, column.Name);
            _seen[column.Slot] = true;
            left--;
        }
        for (var slot = 0; slot < vectors.Length; slot++)
        {
            if (_numbers[slot] is { } number)
                vectors[slot].SetWhole(row, number);
            else if (_texts[slot] is { } text)
                vectors[slot].TrySet(row, text);
            else if (!_seen[slot])
                vectors[slot].SetNull(row);
        }
    }

    private ViewColumn? Column(int slot) => wanted[slot] >= 0 && wanted[slot] < view.Columns.Count ? view.Columns[wanted[slot]] : null;

    private RowColumn[] Map(IReadOnlyList<DocumentTable> shape)
    {
        var slots = Enumerable
            .Range(0, wanted.Count)
            .Where(s => Column(s)?.Row is not null)
            .ToDictionary(s => Column(s)!.Row!, StringComparer.Ordinal);
        return
        [
            .. (shape.FirstOrDefault(t => t.Name == view.Table)?.Columns ?? []).Select(c => new RowColumn(
                c.Name,
                Encoding.UTF8.GetBytes(c.Name),
                slots.GetValueOrDefault(c.Name, -1),
                ColumnType.Of(c.Type).Kind == DuckKind.Json
            )),
        ];
    }

    // Columns come in the table's order, without those that are NULL: mostly the next one is it.
    private RowColumn Find(ref Utf8JsonReader reader, ref int next)
    {
        for (var i = 0; i < _map.Length; i++)
        {
            var column = _map[(next + i) % _map.Length];
            if (!reader.ValueTextEquals(column.Utf8))
                continue;
            next = (next + i + 1) % _map.Length;
            return column;
        }
        throw new InvalidDataException($"A document has a column of {view.Table} that it does not describe.");
    }

    // Blanks around a json value belong to it: the document has none of its own.
    private static int End(ReadOnlySpan<byte> json, int at)
    {
        while (json[at] is not ((byte)',' or (byte)'}'))
            at++;
        return at;
    }

    private ReadOnlySpan<byte> Unescape(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
            return reader.ValueSpan;
        if (_unescaped.Length < reader.ValueSpan.Length)
            _unescaped = new byte[reader.ValueSpan.Length];
        return _unescaped.AsSpan(0, reader.CopyString(_unescaped));
    }

    private static (byte[]? Text, long? Number) LedgerValue(QueriedArchive a, string column) =>
        column switch
        {
            ViewColumns.Source => (Utf8(a.Archive.Source), null),
            ViewColumns.Policy => (Utf8(a.Policy), null),
            ViewColumns.SessionId => (Utf8(a.Archive.SessionId), null),
            ViewColumns.ExternalId => (Utf8(a.ExternalId), null),
            ViewColumns.Generation => (null, a.Archive.Generation),
            ViewColumns.State => (Utf8(a.Archive.State), null),
            ViewColumns.UserId => (Utf8(a.Archive.User), null),
            ViewColumns.Created => (null, Micros(a.Archive.Created)),
            ViewColumns.LastActivity => (null, Micros(a.LastActivity)),
            ViewColumns.Messages => (null, a.Messages),
            ViewColumns.ExportedAt => (null, Micros(a.Archive.CopiedAt)),
            ViewColumns.ArchivedAt => (null, Micros(a.ArchivedAt)),
            ViewColumns.Object => (Utf8(a.Archive.Object.Key), null),
            _ => throw new ArgumentOutOfRangeException(nameof(column), column, null),
        };

    private static byte[]? Utf8(string? text) => text is null ? null : Encoding.UTF8.GetBytes(text);

    private static long? Micros(DateTimeOffset? time) =>
        time is { } t ? (t.UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond : null;

    private readonly record struct RowColumn(string Name, byte[] Utf8, int Slot, bool IsJson);
}

/// <summary>A value that its column's type in DuckDB cannot hold: the column has to be text.</summary>
internal sealed class UnfitValueException(string table, string column) : Exception
{
    public string Table { get; } = table;

    public string Column { get; } = column;
}
