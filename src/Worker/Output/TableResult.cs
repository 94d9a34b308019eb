using System.Text;
using Archiver.Core.Query;

namespace Archiver.Worker.Output;

/// <summary>
/// An answer as a table. The widths are those of a thousand rows at a time, so that an answer may have any number of them.
/// </summary>
internal sealed class TableResult(Stream output) : IResultWriter
{
    private const int Rows = 1000;

    private readonly StreamWriter _writer = new(output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true);
    private string[] _header = [];
    private TextTable? _table;
    private int _count;

    public void Begin(IReadOnlyList<ResultColumn> columns) => _table = new(_header = [.. columns.Select(c => Printable.Of(c.Name))]);

    public void Write(string?[] row)
    {
        if (_count++ is var count && count > 0 && count % Rows == 0)
        {
            _table!.Write(_writer);
            _table = new(_header);
        }
        _table!.Add([.. row.Select(v => v ?? "NULL")]);
    }

    public void End()
    {
        _table!.Write(_writer);
        if (_count == 0)
            _writer.WriteLine(string.Join("  ", _header));
        _writer.Flush();
    }

    public void Dispose() => _writer.Dispose();
}
