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
            return new NpgsqlDataSourceBuilder(ConnectionText.Of(connectionString, pooling: true).ConnectionString).Build();
        }
        catch (ArgumentException exception)
        {
            // The exception's own message may quote the password.
            throw new ArchiverException(FailureKind.Configuration, "--to is not a connection string of PostgreSQL, such as Host=localhost;Database=copy;Username=me.", exception);
        }
    }
}
