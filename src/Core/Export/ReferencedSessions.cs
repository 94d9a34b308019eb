using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Export;

/// <summary>Finds sessions that the server would not let go because rows outside of a batch point to theirs.</summary>
internal static class ReferencedSessions
{
    /// <summary>
    /// They would be stored in every run and deleted in none. One that stays may point to others, so it is asked until nothing more is
    /// found.
    /// </summary>
    /// <param name="connection">In the export's snapshot.</param>
    /// <param name="sql">Those of some sessions to which others point; null where nobody asks.</param>
    /// <param name="sessions">Keys of the batch; what is found is taken out of it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<HashSet<string>> FindAsync(
        NpgsqlConnection connection,
        string? sql,
        List<string> sessions,
        CancellationToken cancellationToken
    )
    {
        HashSet<string> referenced = new(StringComparer.Ordinal);
        if (sql is null)
            return referenced;
        while (sessions.RemoveAll(referenced.Contains) >= 0 && sessions.Count > 0)
        {
            var found = await connection.QueryAsync(sql, row => row.GetString(0), cancellationToken, PgParameter.Texts(sessions));
            if (found.Count == 0)
                break;
            referenced.UnionWith(found);
        }
        return referenced;
    }
}
