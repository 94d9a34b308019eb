namespace Archiver.Worker.Output;

/// <summary>Rows in aligned columns, for people and for <c>awk</c>. Nothing is cut or wrapped; the last column is not padded.</summary>
internal sealed class TextTable(params string[] header)
{
    private readonly List<string[]> _rows = [header];

    public void Add(params string[] row) => _rows.Add([.. row.Select(Printable.Of)]);

    /// <summary>Prints the rows; without any, nothing at all.</summary>
    public void Write(Terminal terminal, string indent = "") => Write(terminal.Out, indent);

    /// <inheritdoc cref="Write(Terminal, string)"/>
    public void Write(TextWriter writer, string indent = "")
    {
        if (_rows.Count == 1)
            return;
        var widths = Enumerable.Range(0, header.Length).Select(i => _rows.Max(r => r[i].Length)).ToArray();
        foreach (var row in _rows)
            writer.WriteLine(indent + string.Join("  ", row.Select((cell, i) => i == row.Length - 1 ? cell : cell.PadRight(widths[i]))));
    }
}
