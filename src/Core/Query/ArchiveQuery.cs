using System.Runtime.ExceptionServices;
using Archiver.Core.Ledger;
using Archiver.Core.Spool;
using DuckDB.NET.Data;

namespace Archiver.Core.Query;

/// <summary>
/// One question in SQL: read, then what it needs is counted, fetched and compared with the ledger, and then it runs, over local copies, in
/// a DuckDB that can reach nothing else. All that it made is gone when it is disposed.
/// </summary>
internal sealed class ArchiveQuery : IDisposable
{
    private readonly ArchiveSelection _selection;
    private readonly QueryLimits _limits;
    private readonly QueryFolder _folder;
    private readonly DuckDatabase _database;
    private readonly DocumentSpool _spool = new(folder: null);
    private readonly DocumentShapes _shapes = new();
    private readonly SqlStatement _statement;

    /// <param name="selection">What it reads; to be filled and noted in the audit before it is fetched.</param>
    /// <param name="sql">The SELECT.</param>
    /// <param name="limits">What it may take.</param>
    /// <param name="output">Folder for <see cref="Export"/>; null for none.</param>
    /// <exception cref="Diagnostics.ArchiverException">It is not one SELECT.</exception>
    public ArchiveQuery(ArchiveSelection selection, string sql, QueryLimits limits, string? output)
    {
        (_selection, _limits) = (selection, limits);
        _folder = QueryFolder.Create(null);
        try
        {
            _database = new(limits, _folder.Path, output);
            _statement = SqlStatement.Parse(_database, sql);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What the SQL plainly says of the ledger's columns.</summary>
    /// <param name="sources">How many sources are asked.</param>
    public LedgerCondition Condition(int sources) => PlainConditions.Of(_statement.Node, sources);

    /// <summary>Fetches what was selected; where nothing was, the views are as the tables are now, and empty.</summary>
    /// <param name="sources">Names of the sources that are asked.</param>
    /// <param name="progress">Told of each fetched document.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async Task FetchAsync(IEnumerable<string> sources, IProgress<RunProgress>? progress, CancellationToken cancellationToken)
    {
        if (_selection.Estimate.Archives == 0)
        {
            foreach (var shape in await _selection.ShapesAsync(sources, cancellationToken))
                _shapes.Add(shape);
        }
        await _selection.FetchAsync(
            (members, gzip, _) =>
            {
                _spool.Add([.. members.Select(m => (m.Archive, _shapes.NumberOf(m.Header)))], gzip);
                return Task.CompletedTask;
            },
            progress,
            cancellationToken
        );
        _spool.Complete();
    }

    /// <summary>Runs the SQL and writes its rows.</summary>
    /// <param name="format">Makes what writes them.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>All that was written; nothing is shown of an answer that is not complete.</returns>
    public SpooledContent Run(Func<Stream, IResultWriter> format, CancellationToken cancellationToken) =>
        Try(
            () =>
            {
                using var spool = new SpoolingStream();
                using var writer = format(spool);
                var columns = Columns();
                writer.Begin(columns);
                var names = Enumerable.Range(0, columns.Count).Select(i => $"c{i}").ToList();
                var texts = columns.Select((c, i) => c.IsNested ? $"CAST(to_json({names[i]}) AS VARCHAR)" : $"CAST({names[i]} AS VARCHAR)");
                Read(
                    _statement.Within($"t({string.Join(", ", names)})", string.Join(", ", texts)),
                    columns.Count,
                    writer.Write,
                    cancellationToken
                );
                writer.End();
                return spool.Complete();
            },
            cancellationToken
        );

    /// <summary>Runs the SQL and writes its rows as Parquet.</summary>
    /// <param name="path">A file, or a folder if it is partitioned, that is not there, in the folder for output.</param>
    /// <param name="partition">Column by whose months it is partitioned, or empty for the best one; null for one file.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>How many rows there are.</returns>
    public int Export(string path, string? partition, CancellationToken cancellationToken) =>
        Try(
            () =>
            {
                var sql = ParquetCopy.Sql(_statement, partition is null ? null : ParquetCopy.PartitionColumn(Columns(), partition), path);
                using var command = _database.Command(sql);
                using var stop = new StatementStop(command, cancellationToken);
                return command.ExecuteNonQuery();
            },
            cancellationToken
        );

    public void Dispose()
    {
        _database?.Dispose();
        _spool.Dispose();
        _folder.Dispose();
    }

    /// <summary>Makes the views, and runs it; once more with a column as text where a value does not fit into its type.</summary>
    private T Try<T>(Func<T> run, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                foreach (var view in _shapes.Views())
                    _database.AddView(view, _spool, _shapes, _selection.Estimate.Archives, cancellationToken);
                return run();
            }
            catch (DuckDBException exception)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var failure = _database.ScanFailure;
                if (failure is UnfitValueException unfit && _shapes.MakeText(unfit.Table, unfit.Column))
                    _database.ForgetFailures();
                else if (failure is not null)
                    ExceptionDispatchInfo.Throw(failure);
                else
                    throw DuckErrors.Explain(exception, _limits);
            }
        }
    }

    private List<ResultColumn> Columns()
    {
        List<ResultColumn> columns = [];
        Read(
            $"SELECT column_name, column_type FROM (DESCRIBE {_statement.Within("t")})",
            2,
            row => columns.Add(new(row[0]!, row[1]!)),
            CancellationToken.None
        );
        return columns;
    }

    private void Read(string sql, int columns, Action<string?[]> take, CancellationToken cancellationToken)
    {
        using var command = _database.Command(sql, streaming: true);
        using var stop = new StatementStop(command, cancellationToken);
        using var reader = command.ExecuteReader();
        var row = new string?[columns];
        while (reader.Read())
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (var i = 0; i < columns; i++)
                row[i] = reader.IsDBNull(i) ? null : reader.GetValue(i).ToString();
            take(row);
        }
    }
}
