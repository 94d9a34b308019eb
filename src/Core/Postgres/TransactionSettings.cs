using System.Globalization;

namespace Archiver.Core.Postgres;

/// <summary>
/// Settings of the archiver's own transactions, by SET LOCAL so that nothing leaks to the pool (docs/protocol.md rules 3, 8, 13).
/// Without them the text of a value, the rows a role sees, or the function behind an operator would depend on somebody's defaults.
/// </summary>
internal static class TransactionSettings
{
    /// <summary>
    /// For every transaction: names resolve to pg_catalog only; row security is an error instead of silently missing rows; text is UTF-8,
    /// instants and types are spelled in one way, and a literal means what it says. JIT costs more than it gives on these short statements.
    /// </summary>
    public const string Common = """
        SET LOCAL search_path = pg_catalog;
        SET LOCAL row_security = off;
        SET LOCAL client_encoding = 'UTF8';
        SET LOCAL TimeZone = 'UTC';
        SET LOCAL DateStyle = 'ISO, YMD';
        SET LOCAL extra_float_digits = 1;
        SET LOCAL quote_all_identifiers = off;
        SET LOCAL standard_conforming_strings = on;
        SET LOCAL jit = off;
        """;

    /// <summary>
    /// For transactions that change rows or make a promise, beside <see cref="Common"/> or <see cref="Export"/>: foreign keys and triggers
    /// hold, and what was committed survives a crash of the server. Not at the head of an export, whose snapshot comes after its locks.
    /// </summary>
    /// <remarks>
    /// Only where it is not so already: the replication role takes a superuser to set, be it to what it is. A restore that a crash took
    /// back, after reconcile had removed its object for being superfluous, would be the end of the session; a hold or a receipt would have
    /// been a lie.
    /// </remarks>
    public const string Change = """
        SELECT set_config('session_replication_role', 'origin', true) WHERE current_setting('session_replication_role') <> 'origin';
        SELECT set_config('synchronous_commit', 'local', true) WHERE current_setting('synchronous_commit') = 'off';
        """;

    /// <summary>
    /// For statements that name their rows by key: through the index, and by one process. Of a table of up to some million rows the planner
    /// takes a scan of all of it for cheaper than a thousand look-ups, each of which it expects to wait for a disk; batch after batch would
    /// read the whole table. A price and not <c>enable_seqscan = off</c>: beside that one's forfeit all other costs are lost in rounding,
    /// and where there is no index to take, any way to join would look as good as another.
    /// </summary>
    public const string ByKey = """
        SET LOCAL seq_page_cost = 100;
        SET LOCAL max_parallel_workers_per_gather = 0;
        """;

    /// <summary>
    /// For exports and imports: the output functions that pg_dump relies on, and the input functions that read them, in one fixed dialect.
    /// </summary>
    public const string Export =
        Common
        + ByKey
        + """

            SET LOCAL IntervalStyle = 'postgres';
            SET LOCAL bytea_output = 'hex';
            SET LOCAL lc_monetary = 'C';
            SET LOCAL xmloption = 'content';
            SET LOCAL array_nulls = on;
            """;

    /// <summary>Where nothing says otherwise. Whoever waits this long for a table waits for somebody who does not go on.</summary>
    public static readonly TimeSpan LockWithin = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Readers wait for nobody but who locks a whole table, such as a migration of the application; a long one is told instead of waited
    /// for.
    /// </summary>
    private static readonly TimeSpan ReadLockWithin = TimeSpan.FromSeconds(5);

    /// <summary>For selection and reports: read only, bounded in time, and in waiting for locks.</summary>
    public static string ReadOnly(TimeSpan statementTimeout) =>
        $"SET TRANSACTION READ ONLY; {Common} {Timeout("statement_timeout", statementTimeout)} {Timeout("lock_timeout", ReadLockWithin)}";

    /// <summary>A timeout setting for this transaction; PostgreSQL takes whole milliseconds, and 0 would mean none.</summary>
    public static string Timeout(string setting, TimeSpan value) =>
        string.Create(CultureInfo.InvariantCulture, $"SET LOCAL {setting} = {Math.Clamp((long)value.TotalMilliseconds, 1, int.MaxValue)};");
}
