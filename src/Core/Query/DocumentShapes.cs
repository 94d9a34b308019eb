using System.Collections.Concurrent;
using Archiver.Core.Documents;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Query;

/// <summary>
/// The tables that documents describe. Columns come and go in the life of a source, so that its documents differ: a view has the columns of
/// them all, and a column whose type changed, or that holds a value that the type in DuckDB cannot, is text.
/// </summary>
internal sealed class DocumentShapes
{
    private readonly ConcurrentDictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly List<IReadOnlyList<DocumentTable>> _shapes = [];
    private readonly HashSet<(string Table, string Column)> _texts = [];
    private readonly Lock _lock = new();

    /// <summary>Tables of the documents by the numbers of their shapes.</summary>
    public IReadOnlyList<IReadOnlyList<DocumentTable>> All => _shapes;

    /// <summary>Number of a document's shape; documents with the same tables have the same one.</summary>
    public int NumberOf(DocumentHeader header)
    {
        if (_numbers.TryGetValue(header.Signature, out var known))
            return known;
        lock (_lock)
        {
            return _numbers.GetOrAdd(header.Signature, _ =>
            {
                _shapes.Add(header.Tables);
                return _shapes.Count - 1;
            });
        }
    }

    /// <summary>Takes the tables as they are now, where there is no document to tell: then a view has its columns and no row.</summary>
    public void Add(SourceShape now)
    {
        lock (_lock)
            _shapes.Add([
                .. now.Tables.Select(t => new DocumentTable(
                    t.Name,
                    t.Table.ToString(),
                    [.. t.Columns.Select(c => new DocumentColumn(c.Name, c.Type))]
                )),
            ]);
    }

    /// <summary>
    /// Makes a column text, because a document holds a value that its type in DuckDB cannot; false when it is text already.
    /// </summary>
    public bool MakeText(string table, string column) => _texts.Add((table, column));

    /// <summary>All views, <c>sessions</c> first; without any document there is that one alone.</summary>
    /// <remarks>Names are compared as DuckDB does it, ignoring case.</remarks>
    public IReadOnlyList<ViewTable> Views()
    {
        List<ViewTable> views = [View(SourceMap.SessionName, "sessions", ViewColumns.Sessions)];
        foreach (
            var table in _shapes
                .SelectMany(s => s)
                .Select(t => t.Name)
                .Where(n => n != SourceMap.SessionName)
                .Distinct(StringComparer.Ordinal)
        )
            views.Add(View(table, Free(table, views.Select(v => v.Name)), ViewColumns.Children));
        return views;
    }

    private ViewTable View(string table, string name, IReadOnlyList<ViewColumn> ledger)
    {
        List<ViewColumn> columns = [.. ledger];
        foreach (
            var column in _shapes
                .SelectMany(s => s)
                .Where(t => t.Name == table)
                .SelectMany(t => t.Columns)
                .GroupBy(c => c.Name, StringComparer.Ordinal)
        )
        {
            var type = _texts.Contains((table, column.Key))
                ? ColumnType.Text
                : column.Select(c => ColumnType.Of(c.Type)).Aggregate((one, other) => one.With(other));
            var isTaken = ledger.Any(c => c.Name.Equals(column.Key, StringComparison.OrdinalIgnoreCase));
            columns.Add(new(Free(isTaken ? ViewColumns.OfRow + column.Key : column.Key, columns.Select(c => c.Name)), type, column.Key));
        }
        return new(table, name, columns);
    }

    private static string Free(string name, IEnumerable<string> taken)
    {
        var names = taken.ToHashSet(StringComparer.OrdinalIgnoreCase);
        return Enumerable.Range(1, int.MaxValue).Select(n => n == 1 ? name : $"{name}_{n}").First(n => !names.Contains(n));
    }
}

/// <summary>A view over one table of the documents.</summary>
/// <param name="Table">Its name in the documents: <c>session</c>, <c>messages</c>, ...</param>
/// <param name="Name">Its name in SQL.</param>
/// <param name="Columns">The ledger's, then the row's.</param>
internal sealed record ViewTable(string Table, string Name, IReadOnlyList<ViewColumn> Columns);
