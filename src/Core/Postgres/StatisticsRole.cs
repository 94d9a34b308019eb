using Archiver.Core.Diagnostics;
using Npgsql;

namespace Archiver.Core.Postgres;

/// <summary>
/// Whether the role may see what others do: to one that may not, the server shows nothing and says nothing, and a limit would never be met.
/// </summary>
internal static class StatisticsRole
{
    private const string MaySee = "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')";

    /// <exception cref="ArchiverException">The role may not see it; kind Refused.</exception>
    public static async Task RequireAsync(NpgsqlConnection connection, string key, string what, CancellationToken cancellationToken)
    {
        if (!await connection.ScalarAsync<bool>(MaySee, cancellationToken))
            throw new ArchiverException(
                FailureKind.Refused,
                $"Archiver:Batch:{key} is set, and the role may not see {what}: GRANT pg_read_all_stats TO "
                    + $"{PgIdentifier.Quote(new NpgsqlConnectionStringBuilder(connection.ConnectionString).Username ?? "")}; Nothing was "
                    + "changed."
            );
    }
}
