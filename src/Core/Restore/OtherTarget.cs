using Archiver.Core.Diagnostics;
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
            var text = new NpgsqlConnectionStringBuilder(connectionString) { IncludeErrorDetail = false };
            text.ApplicationName ??= "archiver";
            // Statements are bounded by the server's statement_timeout, which grows with a large session.
            text.CommandTimeout = 0;
            return new NpgsqlDataSourceBuilder(text.ConnectionString).Build();
        }
        catch (ArgumentException exception)
        {
            // The exception's own message may quote the password.
            throw new ArchiverException(FailureKind.Configuration, "--to is not a connection string of PostgreSQL, such as Host=localhost;Database=copy;Username=me.", exception);
        }
    }
}
