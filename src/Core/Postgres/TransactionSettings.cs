using System.Globalization;

namespace Archiver.Core.Postgres;

/// <summary>
/// Settings of the archiver's own transactions, by SET LOCAL so that nothing leaks to the pool (PROTOCOL.md rules 3, 8, 13).
/// Without them the text of a value, the rows a role sees, or the function behind an operator would depend on somebody's defaults.
/// </summary>
internal static class TransactionSettings
{
    /// <summary>
    /// For every transaction: names resolve to pg_catalog only; row security is an error instead of silently missing rows.
    /// JIT costs more than it gives on these short statements.
    /// </summary>
    public const string Common = """
        SET LOCAL search_path = pg_catalog;
        SET LOCAL row_security = off;
        SET LOCAL TimeZone = 'UTC';
        SET LOCAL DateStyle = 'ISO, YMD';
        SET LOCAL jit = off;
        """;

    /// <summary>For exports: the output functions that pg_dump relies on, in one fixed dialect, and rows in the order of the batch.</summary>
    public const string Export = Common + """

        SET LOCAL IntervalStyle = 'postgres';
        SET LOCAL extra_float_digits = 1;
        SET LOCAL bytea_output = 'hex';
        SET LOCAL lc_monetary = 'C';
        SET LOCAL xmloption = 'content';
        SET LOCAL max_parallel_workers_per_gather = 0;
        """;

    /// <summary>For selection and reports: read only, bounded in time.</summary>
    public static string ReadOnly(TimeSpan statementTimeout) =>
        $"SET TRANSACTION READ ONLY; {Common} {Timeout("statement_timeout", statementTimeout)}";

    /// <summary>A timeout setting for this transaction; PostgreSQL takes whole milliseconds, and 0 would mean none.</summary>
    public static string Timeout(string setting, TimeSpan value) =>
        string.Create(CultureInfo.InvariantCulture, $"SET LOCAL {setting} = {Math.Clamp((long)value.TotalMilliseconds, 1, int.MaxValue)};");
}
