using Archiver.Core.Diagnostics;
using Npgsql;

namespace Archiver.Core.Postgres;

/// <summary>How many clients other than archivers the server is at work for, whatever their database.</summary>
internal static class ActiveBackends
{
    // Ours are known by their name: other archivers of this name wait for each other as it is.
    private const string Count = """
        SELECT count(*)
        FROM pg_stat_activity AS a
        WHERE a.state = 'active' AND a.backend_type = 'client backend' AND a.application_name IS DISTINCT
          FROM current_setting('application_name')
        """;

    /// <exception cref="ArchiverException">The role may not see them; kind Refused.</exception>
    public static async Task<long> CountAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await StatisticsRole.RequireAsync(connection, "MaxActive", "what the server works at", cancellationToken);
        return await connection.ScalarAsync<long>(Count, cancellationToken);
    }
}
