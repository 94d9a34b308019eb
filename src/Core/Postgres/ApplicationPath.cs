namespace Archiver.Core.Postgres;

/// <summary>
/// Lets the application's triggers run under the search path of the role or the database, while the names and operators of the archiver's
/// own statement resolve to <c>pg_catalog</c>: a server resolves a statement before it executes it, so the statement itself changes the
/// path, as the first thing that it executes. A counter trigger whose function names a table without its schema would fail otherwise.
/// </summary>
internal static class ApplicationPath
{
    /// <summary>
    /// Notes what a transaction begins with, before <see cref="TransactionSettings"/> change it. Triggers' queries name no keys, so their
    /// costs are kept too.
    /// </summary>
    public const string Remember = """
        SELECT pg_catalog.set_config('archiver.search_path', pg_catalog.current_setting('search_path'), true),
               pg_catalog.set_config('archiver.seq_page_cost', pg_catalog.current_setting('seq_page_cost'), true);
        """;

    /// <summary>
    /// A condition that is true, and has changed the path when it is. It holds no column, so that the server asks it before any row of the
    /// statement. <see cref="Leave"/> follows, after the deferred triggers have fired.
    /// </summary>
    public const string Enter =
        "(SELECT set_config('search_path', current_setting('archiver.search_path'), true) || set_config('seq_page_cost', "
        + "current_setting('archiver.seq_page_cost'), true)) IS NOT NULL";

    /// <summary>The archiver's own path and costs again.</summary>
    public const string Leave = "SET LOCAL search_path = pg_catalog;" + TransactionSettings.ByKey;

    /// <summary>Fires what is deferred, constraints and triggers, under the application's path, and leaves that.</summary>
    public const string FireAndLeave = "SET CONSTRAINTS ALL IMMEDIATE; " + Leave;
}
