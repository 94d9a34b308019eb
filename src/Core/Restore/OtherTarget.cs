using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Restore;

/// <summary>The database of <c>restore --to</c>. It needs the application's tables and no ledger.</summary>
internal static class OtherTarget
{
    /// <exception cref="ArchiverException">The text is not a connection string.</exception>
    public static NpgsqlDataSource Build(string connectionString)
    {
        try
        {
            return ConnectionText.Source(connectionString, pooling: true);
        }
        catch (ArgumentException exception)
        {
            // The exception's own message may quote the password.
            throw new ArchiverException(
                FailureKind.Configuration,
                "--to is not a connection string of PostgreSQL, such as Host=localhost;Database=copy;Username=me.",
                exception
            );
        }
    }

    /// <summary>The first connection: what is wrong with it is told of this database, not of the source's.</summary>
    /// <exception cref="ArchiverException">It cannot be reached or refuses, or a transaction pooler sits between.</exception>
    public static async Task<NpgsqlConnection> OpenFirstAsync(NpgsqlDataSource target, CancellationToken cancellationToken)
    {
        try
        {
            return await OpenAsync(target, cancellationToken);
        }
        catch (Exception exception) when (IsOfServer(exception))
        {
            throw ForPerson(exception, target.ConnectionString);
        }
    }

    /// <summary>
    /// Work on the tables: what goes wrong with those of another database is told of that one, later than at its first connection too.
    /// </summary>
    /// <param name="target">Its connection string; null for the source's own.</param>
    /// <param name="work">What is to be done.</param>
    public static async Task<T> NamedAsync<T>(string? target, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception exception) when (target is not null && IsOfServer(exception))
        {
            throw ForPerson(exception, target);
        }
    }

    private static bool IsOfServer(Exception exception) =>
        exception is NpgsqlException or System.Net.Sockets.SocketException or TimeoutException or IOException;

    private static ArchiverException ForPerson(Exception exception, string target) =>
        PgErrors.ForPerson(exception, "--to", " (--to)", new(target));

    /// <summary>A connection whose temporary tables outlive a transaction.</summary>
    /// <exception cref="ArchiverException">A transaction pooler sits between; kind Refused.</exception>
    public static async Task<NpgsqlConnection> OpenAsync(NpgsqlDataSource target, CancellationToken cancellationToken)
    {
        var connection = await target.OpenConnectionAsync(cancellationToken);
        try
        {
            await Pooler.RefuseAsync(connection, "Give --to a direct connection.", cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
