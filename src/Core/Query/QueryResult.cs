namespace Archiver.Core.Query;

/// <summary>A column of an answer.</summary>
/// <param name="Name">As the SQL calls it.</param>
/// <param name="Type">As DuckDB calls it.</param>
internal sealed record ResultColumn(string Name, string Type)
{
    /// <summary>A number, written as it is in JSON.</summary>
    public bool IsNumber =>
        Type
            is "TINYINT"
                or "SMALLINT"
                or "INTEGER"
                or "BIGINT"
                or "HUGEINT"
                or "FLOAT"
                or "DOUBLE"
                or "UTINYINT"
                or "USMALLINT"
                or "UINTEGER"
                or "UBIGINT"
                or "UHUGEINT"
        || Type.StartsWith("DECIMAL", StringComparison.Ordinal);

    public bool IsBoolean => Type == "BOOLEAN";

    /// <summary>A time with its date; in JSON it is written as in a document.</summary>
    public bool IsTimestamp => Type.StartsWith("TIMESTAMP", StringComparison.Ordinal);

    /// <summary>Of a type that sorts into months.</summary>
    public bool HasMonth => IsTimestamp || Type == "DATE";

    /// <summary>JSON already.</summary>
    public bool IsJson => Type == "JSON" || IsNested;

    /// <summary>A list, structure or map, which is written as JSON.</summary>
    public bool IsNested =>
        Type.EndsWith(']')
        || Type.StartsWith("STRUCT", StringComparison.Ordinal)
        || Type.StartsWith("MAP", StringComparison.Ordinal)
        || Type.StartsWith("UNION", StringComparison.Ordinal);
}

/// <summary>What an answer is written to, row by row.</summary>
internal interface IResultWriter : IDisposable
{
    void Begin(IReadOnlyList<ResultColumn> columns);

    /// <summary>Values as text; null is SQL's NULL. The array is used again for the next row.</summary>
    void Write(string?[] row);

    /// <summary>Passes on what it still has.</summary>
    void End();
}
