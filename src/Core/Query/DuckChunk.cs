using System.Runtime.InteropServices;

namespace Archiver.Core.Query;

/// <summary>A chunk of rows that DuckDB hands over to be filled.</summary>
internal static class DuckChunk
{
    /// <summary>Rows of a chunk.</summary>
    public static int Capacity { get; } = (int)duckdb_vector_size();

    /// <summary>A column of the chunk; of one that is none of ours nothing is read.</summary>
    public static DuckVector Vector(IntPtr chunk, int slot, ViewColumn? column) =>
        new(duckdb_data_chunk_get_vector(chunk, (ulong)slot), column?.Type ?? ColumnType.Bigint);

    public static void SetSize(IntPtr chunk, int rows) => duckdb_data_chunk_set_size(chunk, (ulong)rows);

    [DllImport("duckdb")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static extern ulong duckdb_vector_size();

    // The library's own take a handle that owns its chunk.
    [DllImport("duckdb")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static extern IntPtr duckdb_data_chunk_get_vector(IntPtr chunk, ulong column);

    [DllImport("duckdb")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static extern void duckdb_data_chunk_set_size(IntPtr chunk, ulong rows);
}
