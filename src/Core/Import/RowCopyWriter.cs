using System.Buffers;
using System.Text;
using System.Text.Json;
using Archiver.Core.Documents;
using Archiver.Core.Postgres;

namespace Archiver.Core.Import;

/// <summary>Turns the JSON rows of one table into lines of COPY text, columns in the order of the plan; an absent column is NULL.</summary>
internal sealed class RowCopyWriter(PlannedTable table)
{
    private readonly byte[][] _names = [.. table.Columns.Select(c => Encoding.UTF8.GetBytes(c.Name))];
    private readonly (int Start, int End)[] _values = new (int, int)[table.Columns.Count];

    /// <summary>Writes one row, without a line break.</summary>
    /// <exception cref="RefusedSessionException">The row has a value that has no place today.</exception>
    /// <exception cref="InvalidDataException">The row is not as the document's columns say.</exception>
    public void Write(ReadOnlySpan<byte> row, IBufferWriter<byte> line)
    {
        if (table.Target is null && !table.Columns.All(c => c.IsDropped))
            throw new RefusedSessionException(
                $"the table of '{table.Name}' is gone or no longer mapped, and its archived rows would be "
                    + $"lost; map it again, or give them up with --drop-column {table.Name}.*"
            );
        FindValues(row);
        var first = true;
        for (var i = 0; i < _values.Length; i++)
        {
            var column = table.Columns[i];
            var value = row[_values[i].Start.._values[i].End];
            if (column.Target is null)
            {
                if (!value.IsEmpty && !column.IsDropped)
                    throw new RefusedSessionException(
                        $"column '{column.Name}' of {table.Target!.Table} is gone, and its archived values "
                            + $"would be lost; name its new place with --map {column.Name}=new, or give them up with --drop-column "
                            + $"{column.Name}"
                    );
                continue;
            }
            if (!first)
                line.Write("\t"u8);
            first = false;
            if (value.IsEmpty)
            {
                line.Write("\\N"u8);
                continue;
            }
            Check(column, value);
            CopyField.Write(line, value, column.Kind ?? KindOf(value, column));
        }
    }

    /// <summary>The text of the row last written in the column that goes into <paramref name="target"/>.</summary>
    public string TextOf(string target, ReadOnlySpan<byte> row)
    {
        var (start, end) = _values[table.Columns.ToList().FindIndex(c => c.Target?.Name == target)];
        if (start == end)
            throw new InvalidDataException("The document's session row has no key.");
        return row[start] == '"' ? DocumentReader.ReadString(row[start..end]) : Encoding.UTF8.GetString(row[start..end]);
    }

    /// <summary>The same; null where the row has no value there, or the document no such column.</summary>
    public string? TextOrNull(string target, ReadOnlySpan<byte> row) =>
        table.Columns.ToList().FindIndex(c => c.Target?.Name == target) is var index and >= 0
        && _values[index] is var (start, end)
        && start != end
            ? TextOf(target, row)
            : null;

    private void Check(PlannedColumn column, ReadOnlySpan<byte> value)
    {
        if (column.Conversion.Refusal is { } refusal)
            throw new RefusedSessionException(
                $"column '{column.Target!.Name}' of {table.Target!.Table} {refusal}; give its archived "
                    + $"values up with --drop-column {column.Name}"
            );
        if (column.Conversion.UniqueKeys && !JsonPieces.HasUniqueKeys(value))
            throw new RefusedSessionException(
                $"column '{column.Target!.Name}' of {table.Target!.Table} was "
                    + $"{DocumentReader.Shorten(column.Type)} and is {column.Target.Type} today, which keeps one of two values of a key: "
                    + $"an archived value has a key twice; restore the last of them with --accept-loss {column.Name}"
            );
    }

    // Of a domain that is gone: only json and numbers have no quotes. A string may be a text or a json value; "1" would become 1.
    private static ColumnKind KindOf(ReadOnlySpan<byte> value, PlannedColumn column) =>
        (value[0], column.Target!.Kind) switch
        {
            ((byte)'"', ColumnKind.Json) => throw new RefusedSessionException(
                "nobody knows any more what type "
                    + $"'{DocumentReader.Shorten(column.Type)}' of the archived column '{column.Name}' was, so a text in it may be a json "
                    + $"value; create the type again, or give the values up with --drop-column {column.Name}"
            ),
            ((byte)'"', _) => ColumnKind.Text,
            (_, ColumnKind.Boolean) => ColumnKind.Boolean,
            _ => ColumnKind.Json,
        };

    private void FindValues(ReadOnlySpan<byte> row)
    {
        Array.Clear(_values);
        var reader = JsonPieces.Over(row);
        reader.Read();
        var next = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var column = IndexOf(ref reader, next);
            // The export writes no blanks of its own: those around a json value belong to it.
            var start = (int)reader.BytesConsumed;
            reader.Read();
            reader.Skip();
            var end = (int)reader.BytesConsumed;
            while (row[end] is (byte)' ' or (byte)'\t')
                end++;
            if (_values[column].End != 0)
                throw new InvalidDataException($"A row of {table.Name} has the column '{table.Columns[column].Name}' twice.");
            _values[column] = (start, end);
            next = column + 1;
        }
    }

    // Columns come in the table's order, so the next one is nearly always among the next few.
    private int IndexOf(ref Utf8JsonReader reader, int from)
    {
        for (var i = 0; i < _names.Length; i++)
        {
            var column = (from + i) % _names.Length;
            if (reader.ValueTextEquals(_names[column]))
                return column;
        }
        throw new InvalidDataException(
            $"A row of {table.Name} has a column '{DocumentReader.Shorten(reader.GetString()!)}' that the document does not describe."
        );
    }
}
