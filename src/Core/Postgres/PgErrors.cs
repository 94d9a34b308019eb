using System.Net.Sockets;
using Archiver.Core.Diagnostics;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Postgres;

/// <summary>What a PostgreSQL error means for a run, and the one sentence a person gets.</summary>
internal static class PgErrors
{
    // idle_in_transaction_session_timeout; the driver has no name for it.
    private const string IdleInTransaction = "25P03";

    /// <summary>A passing fault: the same work may succeed on a new connection.</summary>
    public static bool IsTransient(Exception exception) => exception switch
    {
        PostgresException e => e.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected
            || (e.SqlState.StartsWith("53", StringComparison.Ordinal) && e.SqlState != PostgresErrorCodes.OutOfMemory)
            // The worker stood still, and the server took its locks away.
            || e.SqlState == IdleInTransaction
            || e.SqlState.StartsWith("57P", StringComparison.Ordinal)
            || e.SqlState.StartsWith("08", StringComparison.Ordinal),
        NpgsqlException e => e.InnerException is IOException or SocketException or TimeoutException || e.IsTransient,
        IOException or SocketException => true,
        _ => false,
    };

    public static bool IsLockTimeout(this PostgresException exception) => exception.SqlState == PostgresErrorCodes.LockNotAvailable;

    /// <summary>The statement ran into <c>statement_timeout</c> (57014; a cancellation by the caller surfaces as OperationCanceledException instead).</summary>
    public static bool IsStatementTimeout(this PostgresException exception) => exception.SqlState == PostgresErrorCodes.QueryCanceled;

    /// <summary>22 data, 23 integrity, 27, 44 check option, P0 raised by a trigger: some row is the cause, so a smaller set of rows finds it.</summary>
    public static bool IsAboutRows(this PostgresException exception) => exception.SqlState[..2] is "22" or "23" or "27" or "44" or "P0";

    /// <summary>
    /// The server could not deliver this batch, but may deliver a part of it: a timeout, a value over a limit, bytes invalid in the encoding,
    /// a damaged page.
    /// </summary>
    public static bool IsAboutOneBatch(this PostgresException exception) =>
        exception.IsStatementTimeout() || exception.SqlState[..2] is "22" or "54" or "XX" || exception.SqlState == PostgresErrorCodes.OutOfMemory;

    /// <summary>
    /// One clear message that names the setting. Never the server's DETAIL: it quotes key values, and with them possibly text of a row.
    /// </summary>
    public static ArchiverException ForPerson(
        Exception exception, string source, NpgsqlConnectionStringBuilder target, string key = nameof(SourceSettings.ConnectionString))
    {
        var setting = $"Archiver:Sources:{source}:{key}";
        var where = $"{target.Host}:{target.Port}/{target.Database}";
        var (kind, message) = exception switch
        {
            PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification } =>
                (FailureKind.Failed, $"PostgreSQL at {where} refused user '{target.Username}': check user and password in {setting}."),
            PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } =>
                (FailureKind.Failed, $"PostgreSQL at {target.Host}:{target.Port} has no database '{target.Database}': check {setting}."),
            PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } e =>
                (FailureKind.Failed, $"PostgreSQL at {where} refused a permission to user '{target.Username}': {SafeText(e)}. sql/roles.sql has the grants that the archiver needs."),
            PostgresException e =>
                (FailureKind.Failed, $"PostgreSQL at {where} reported {e.SqlState}: {SafeText(e)} (source '{source}')."),
            NpgsqlException or SocketException or TimeoutException or IOException =>
                (FailureKind.Failed, $"Cannot reach PostgreSQL at {where}: {Innermost(exception).Message} Is it running, and is {setting} right?"),
            _ => (FailureKind.Failed, exception.Message),
        };
        return new(kind, message, exception);
    }

    /// <summary>
    /// The server's message where its class speaks of servers, names and rights; data errors and messages of triggers may quote a row.
    /// </summary>
    private static string SafeText(PostgresException exception) =>
        exception.SqlState[..2] is "08" or "25" or "28" or "3D" or "3F" or "40" or "42" or "53" or "55" or "57" or "58"
            ? exception.MessageText
            : "the server's log has the message; it may quote data and is not repeated here";

    private static Exception Innermost(Exception exception) => exception.InnerException is { } inner ? Innermost(inner) : exception;
}
