using Archiver.Core.Diagnostics;

namespace Archiver.Core.Query;

/// <summary>The one statement that writes: ours, around a SELECT, into the one folder that it may.</summary>
internal static class ParquetCopy
{
    private const string Month = "month";

    /// <summary>The statement; it returns the number of rows.</summary>
    public static string Sql(SqlStatement statement, ResultColumn? partition, string path) =>
        partition is null
            ? $"COPY ({statement.Within("t")}) TO {DuckDatabase.Literal(path)} (FORMAT parquet, COMPRESSION zstd)"
            : $"COPY ({statement.Within("t", $"*, strftime(t.{DuckDatabase.Identifier(partition.Name)}, '%Y-%m') AS {Month}")}) "
                + $"TO {DuckDatabase.Literal(path)} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY ({Month}))";

    /// <summary>
    /// The column by whose months it is partitioned: the one that is named, else archived_at, else the first that has months.
    /// </summary>
    /// <exception cref="ArchiverException">There is no such column; kind Configuration.</exception>
    public static ResultColumn PartitionColumn(IReadOnlyList<ResultColumn> columns, string name)
    {
        if (columns.Any(c => c.Name.Equals(Month, StringComparison.OrdinalIgnoreCase)))
        {
            throw new ArchiverException(
                FailureKind.Configuration,
                $"The result has a column '{Month}' already, which --partition-by would add. Give it another name: AS ..."
            );
        }
        var found =
            name.Length > 0
                ? columns.FirstOrDefault(c => c.HasMonth && c.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                : columns.FirstOrDefault(c => c.HasMonth && c.Name == ViewColumns.ArchivedAt) ?? columns.FirstOrDefault(c => c.HasMonth);
        return found
            ?? throw new ArchiverException(
                FailureKind.Configuration,
                name.Length > 0
                    ? $"The result has no column '{name}' of a date or time, to partition by."
                    : "The result has no column of a date or time, to partition by."
            );
    }
}
