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

    /// <summary>
    /// For statements that name their rows by key: through the index, and by one process. Of a table of up to some million rows the planner takes a scan
    /// of all of it for cheaper than a thousand look-ups, each of which it expects to wait for a disk; batch after batch would read the whole table.
    /// A price and not <c>enable_seqscan = off</c>: beside that one's forfeit all other costs are lost in rounding, and where there is no index
    /// to take, any way to join would look as good as another.
    /// </summary>
    public const string ByKey = """
        SET LOCAL seq_page_cost = 100;
        SET LOCAL max_parallel_workers_per_gather = 0;
        """;

    /// <summary>For exports: the output functions that pg_dump relies on, in one fixed dialect, and rows in the order of the batch.</summary>
    public const string Export = Common + ByKey + """

        SET LOCAL IntervalStyle = 'postgres';
        SET LOCAL extra_float_digits = 1;
        SET LOCAL bytea_output = 'hex';
        SET LOCAL lc_monetary = 'C';
        SET LOCAL xmloption = 'content';
        """;

    /// <summary>For selection and reports: read only, bounded in time.</summary>
    public static string ReadOnly(TimeSpan statementTimeout) =>
        $"SET TRANSACTION READ ONLY; {Common} {Timeout("statement_timeout", statementTimeout)}";

    /// <summary>A timeout setting for this transaction; PostgreSQL takes whole milliseconds, and 0 would mean none.</summary>
    public static string Timeout(string setting, TimeSpan value) =>
        string.Create(CultureInfo.InvariantCulture, $"SET LOCAL {setting} = {Math.Clamp((long)value.TotalMilliseconds, 1, int.MaxValue)};");
}
