using System.Runtime.InteropServices;
using DuckDB.NET.Native;

namespace Archiver.Core.Query;

/// <summary>Types as DuckDB's C interface wants them, and what of it the library does not bind.</summary>
internal static class DuckType
{
    /// <summary>A type that the caller disposes.</summary>
    public static DuckDBLogicalType Create(ColumnType type)
    {
        var created =
            type.Kind == DuckKind.Decimal
                ? NativeMethods.LogicalType.DuckDBCreateDecimalType(type.Precision, type.Scale)
                : NativeMethods.LogicalType.DuckDBCreateLogicalType(
                    type.Kind switch
                    {
                        DuckKind.Text or DuckKind.Json => DuckDBType.Varchar,
                        DuckKind.Boolean => DuckDBType.Boolean,
                        DuckKind.Smallint => DuckDBType.SmallInt,
                        DuckKind.Integer => DuckDBType.Integer,
                        DuckKind.Bigint => DuckDBType.BigInt,
                        DuckKind.Real => DuckDBType.Float,
                        DuckKind.Double => DuckDBType.Double,
                        DuckKind.Date => DuckDBType.Date,
                        DuckKind.Time => DuckDBType.Time,
                        DuckKind.Timestamp => DuckDBType.Timestamp,
                        DuckKind.TimestampTz => DuckDBType.TimestampTz,
                        DuckKind.Uuid => DuckDBType.Uuid,
                        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
                    }
                );
        // JSON is text with a name: the functions for it go by that.
        if (type.Kind == DuckKind.Json)
            duckdb_logical_type_set_alias(created.DangerousGetHandle(), "JSON");
        return created;
    }

    /// <summary>Lets DuckDB scan on so many threads at once.</summary>
    public static void SetMaxThreads(IntPtr init, int threads) => duckdb_init_set_max_threads(init, (ulong)threads);

    [DllImport("duckdb")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static extern void duckdb_logical_type_set_alias(IntPtr type, [MarshalAs(UnmanagedType.LPUTF8Str)] string alias);

    [DllImport("duckdb")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static extern void duckdb_init_set_max_threads(IntPtr info, ulong maxThreads);
}
