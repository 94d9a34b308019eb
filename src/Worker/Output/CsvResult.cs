using System.Text;
using Archiver.Core.Query;

namespace Archiver.Worker.Output;

/// <summary>
/// An answer as CSV (RFC 4180) with a header. NULL is nothing; an empty text is <c>""</c>. A program gets every text as it is, a terminal
/// as it may show it.
/// </summary>
internal sealed class CsvResult(Stream output, bool isTerminal) : IResultWriter
{
    private readonly StreamWriter _writer = new(output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true)
    {
        NewLine = "\r\n",
    };

    public void Begin(IReadOnlyList<ResultColumn> columns) => Write([.. columns.Select(c => c.Name)]);

    public void Write(string?[] row) =>
        _writer.WriteLine(string.Join(',', row.Select(v => Field(isTerminal && v is not null ? Printable.Lines(v) : v))));

    public void End() => _writer.Flush();

    public void Dispose() => _writer.Dispose();

    private static string? Field(string? value) =>
        value is { Length: 0 } || value?.AsSpan().IndexOfAny("\",\r\n") >= 0
            ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : value;
}
