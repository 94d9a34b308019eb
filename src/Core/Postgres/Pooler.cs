using Archiver.Core.Diagnostics;
using Npgsql;

namespace Archiver.Core.Postgres;

/// <summary>
/// Notices a transaction pooler: it shows a process id of its own, and gives each transaction to whichever server process is free.
/// </summary>
internal static class Pooler
{
    /// <summary>Refuses a connection on which nothing outlives its transaction.</summary>
    /// <param name="connection">Open.</param>
    /// <param name="advice">What to do about it, as a sentence.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArchiverException">There is a pooler; kind Refused.</exception>
    public static async Task RefuseAsync(NpgsqlConnection connection, string advice, CancellationToken cancellationToken)
    {
        var process = await connection.ScalarAsync<int>("SELECT pg_backend_pid()", cancellationToken);
        if (process != connection.ProcessID)
            throw new ArchiverException(
                FailureKind.Refused,
                "A connection pooler sits between the archiver and PostgreSQL, and neither session locks nor temporary tables hold "
                    + $"through it. {advice}"
            );
    }
}
