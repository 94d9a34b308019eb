using System.Net.Sockets;
using Archiver.Core.Diagnostics;
using Npgsql;

namespace Archiver.Core.Postgres;

/// <summary>What a PostgreSQL error means for a run, and the one sentence a person gets.</summary>
internal static class PgErrors
{
    // idle_in_transaction_session_timeout; the driver has no name for it.
    private const string IdleInTransaction = "25P03";

    private const string Error = "ERROR";

    /// <summary>A passing fault: the same work may succeed on a new connection.</summary>
    public static bool IsTransient(Exception exception) =>
        exception switch
        {
            // What an application's function raises says nothing about the server, whatever its code.
            PostgresException e when e.IsRaised() => false,
            // With a context and no end of the connection, it is of another connection: one that the application's function made, as dblink
            // does.
            PostgresException { InvariantSeverity: Error } e when !string.IsNullOrEmpty(e.Where) && IsOfConnection(e.SqlState) => false,
            PostgresException e => e.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected
                || (e.SqlState.StartsWith("53", StringComparison.Ordinal) && e.SqlState != PostgresErrorCodes.OutOfMemory)
                // The worker stood still, and the server took its locks away.
                || e.SqlState == IdleInTransaction
                || IsOfConnection(e.SqlState),
            NpgsqlException e => e.InnerException is IOException or SocketException or TimeoutException || e.IsTransient,
            IOException or SocketException => true,
            _ => false,
        };

    private static bool IsOfConnection(string sqlState) =>
        sqlState.StartsWith("57P", StringComparison.Ordinal) || sqlState.StartsWith("08", StringComparison.Ordinal);

    /// <summary>
    /// What is to be told of a statement at which the connection breaks each time, on a server that is well: an error of that statement.
    /// </summary>
    public static PostgresException OfBrokenConnection(Exception exception) =>
        new(
            "The connection breaks each time.",
            Error,
            Error,
            (exception as PostgresException)?.SqlState ?? PostgresErrorCodes.ConnectionFailure,
            where: "the statement"
        );

    /// <summary>Somebody has what was to be locked; a function of the application that raises the code says nothing of locks.</summary>
    public static bool IsLockTimeout(this PostgresException exception) =>
        exception.SqlState == PostgresErrorCodes.LockNotAvailable && !exception.IsRaised();

    /// <summary>
    /// The statement ran into <c>statement_timeout</c> (57014; a cancellation by the caller surfaces as OperationCanceledException
    /// instead).
    /// </summary>
    public static bool IsStatementTimeout(this PostgresException exception) => exception.SqlState == PostgresErrorCodes.QueryCanceled;

    /// <summary>
    /// A function of the application raised it, under a code of its own choice and with a text of its own, such as a row's.
    /// </summary>
    public static bool IsRaised(this PostgresException exception) => exception.Routine == "exec_stmt_raise";

    /// <summary>
    /// The server refused this batch, and may take a part of it: a trigger that raises, a value over a limit, a damaged page. The code does
    /// not tell, for applications choose their own; trying the parts does. Not so a login that is refused, and what passes is repeated
    /// instead.
    /// </summary>
    public static bool IsAboutOneBatch(this PostgresException exception) =>
        exception.IsRaised() || (!IsTransient(exception) && exception.SqlState[..2] is not ("28" or "3D"));

    /// <summary>
    /// One clear message that names the setting. Never the server's DETAIL: it quotes key values, and with them possibly text of a row.
    /// </summary>
    public static ArchiverException ForPerson(
        Exception exception,
        string source,
        NpgsqlConnectionStringBuilder target,
        string key = "ConnectionString"
    ) => ForPerson(exception, $"Archiver:Sources:{source}:{key}", $" (source '{source}')", target);

    /// <summary>The same for a database that no setting of a source names.</summary>
    /// <param name="exception">What happened.</param>
    /// <param name="setting">Where a person said which database it is.</param>
    /// <param name="of">Whose it is, to stand after the server's message; may be empty.</param>
    /// <param name="target">The database.</param>
    public static ArchiverException ForPerson(Exception exception, string setting, string of, NpgsqlConnectionStringBuilder target)
    {
        var where = $"{target.Host}:{target.Port}/{target.Database}";
        var (kind, message) = exception switch
        {
            PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification } => (
                FailureKind.Failed,
                $"PostgreSQL at {where} refused user '{target.Username}': check user and password in {setting}."
            ),
            PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } => (
                FailureKind.Failed,
                $"PostgreSQL at {target.Host}:{target.Port} has no database '{target.Database}': check {setting}."
            ),
            PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } e => (
                FailureKind.Failed,
                $"PostgreSQL at {where} refused a permission to user '{target.Username}': {SafeText(e)}. "
                    + "sql/roles.sql has the grants that the archiver needs; those for restore only with SET archiver.restore = on before "
                    + "it."
            ),
            PostgresException
            {
                SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.InvalidSchemaName
            } e => (
                FailureKind.Failed,
                $"PostgreSQL at {where} reported {e.SqlState}: {SafeText(e)}{of}. If the mapping names it, it was "
                    + "dropped or renamed: archiver plan says all that is missing, and what to do."
            ),
            PostgresException e => (FailureKind.Failed, $"PostgreSQL at {where} reported {e.SqlState}: {SafeText(e)}{of}."),
            NpgsqlException or SocketException or TimeoutException or IOException => (
                FailureKind.Failed,
                $"Cannot reach PostgreSQL at {where}: {Innermost(exception).Message.TrimEnd('.')}. Is it running, and is {setting} right?"
            ),
            _ => (FailureKind.Failed, exception.Message),
        };
        return new(kind, message, exception);
    }

    /// <summary>
    /// The server's message where it is about our own statement and its class speaks of servers, names and rights. With a context it comes
    /// out of a function of the application, which may put a row's text into it under any code; data errors quote rows themselves.
    /// </summary>
    private static string SafeText(PostgresException exception) =>
        string.IsNullOrEmpty(exception.Where)
        && !exception.IsRaised()
        && exception.SqlState[..2] is "08" or "25" or "28" or "3D" or "3F" or "40" or "42" or "53" or "55" or "57" or "58"
            ? exception.MessageText
            : $"{Condition(exception.SqlState)}; the server's log has the message, which may quote data and is not repeated here";

    /// <summary>The condition's name in PostgreSQL's manual, such as <c>insufficient_privilege</c>.</summary>
    public static string Condition(string sqlState)
    {
        var name = typeof(PostgresErrorCodes)
            .GetFields()
            .FirstOrDefault(f => f.IsLiteral && Equals(f.GetRawConstantValue(), sqlState))
            ?.Name;
        return name is null
            ? "a condition of the application's own"
            : string.Concat(
                name.Select((c, i) => char.IsUpper(c) && i > 0 ? $"_{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}")
            );
    }

    private static Exception Innermost(Exception exception) => exception.InnerException is { } inner ? Innermost(inner) : exception;
}
