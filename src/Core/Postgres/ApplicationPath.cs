namespace Archiver.Core.Postgres;

/// <summary>
/// Lets the application's triggers run under the settings that its own sessions have: the search path and the styles of the role or the
/// database, and its time zone. Meanwhile the names and operators of the archiver's own statement resolve to <c>pg_catalog</c>: a server
/// resolves a statement before it executes it, so the statement itself changes the settings, as the first thing that it executes. A
/// counter trigger whose function names a table without its schema would fail otherwise, and one that writes <c>now()</c> into a column
/// without a zone would write a time of another zone than the application.
/// </summary>
/// <remarks>
/// What the statement itself computes must not hang on these settings. What does, such as the text of a row, is asked after
/// <see cref="Leave"/>.
/// </remarks>
internal static class ApplicationPath
{
    private const string Settings =
        "concat(set_config('search_path', current_setting('archiver.search_path'), true), set_config('seq_page_cost', "
        + "current_setting('archiver.seq_page_cost'), true), set_config('TimeZone', current_setting('archiver.application_zone'), true), "
        + "set_config('DateStyle', current_setting('archiver.date_style'), true), set_config('IntervalStyle', "
        + "current_setting('archiver.interval_style'), true))";

    /// <summary>
    /// A condition that is true, and has changed the settings when it is. It holds no column, so that the server asks it before any row of
    /// the statement. <see cref="Leave"/> follows, after the deferred triggers have fired.
    /// </summary>
    public const string Enter = $"(SELECT {Settings}) IS NOT NULL";

    /// <summary>The same as a statement, for those that come after it.</summary>
    public const string Begin = $"SELECT {Settings};";

    /// <summary>The archiver's own settings again, as <see cref="TransactionSettings.Export"/> has them.</summary>
    public const string Leave =
        "SET LOCAL search_path = pg_catalog; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = "
        + "'postgres';"
        + TransactionSettings.ByKey;

    /// <summary>Fires what is deferred, constraints and triggers, under the application's settings, and leaves these.</summary>
    public const string FireAndLeave = "SET CONSTRAINTS ALL IMMEDIATE; " + Leave;

    /// <summary>
    /// Notes what a transaction begins with, before <see cref="TransactionSettings"/> change it. Triggers' queries name no keys, so their
    /// costs are kept too.
    /// </summary>
    /// <param name="zone">The application's time zone, which the connection does not have.</param>
    public static string Remember(string zone) =>
        $"""
            SELECT pg_catalog.set_config('archiver.search_path', pg_catalog.current_setting('search_path'), true),
                   pg_catalog.set_config('archiver.seq_page_cost', pg_catalog.current_setting('seq_page_cost'), true),
                   pg_catalog.set_config('archiver.application_zone', {PgLiteral.Quote(zone)}, true),
                   pg_catalog.set_config('archiver.date_style', pg_catalog.current_setting('DateStyle'), true),
                   pg_catalog.set_config('archiver.interval_style', pg_catalog.current_setting('IntervalStyle'), true);
            """;
}
