using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Sources;

/// <summary>
/// Commits a transaction of whoever holds a source's lock, and settles an answer that is lost, as deletes do. Such a transaction may have
/// no record of its own to ask for: the server is asked for the transaction's fate, and the lease proves that it is still the server that
/// had it.
/// </summary>
internal static class LeasedCommit
{
    /// <summary>Proves the lease and commits; returns when it is committed.</summary>
    /// <exception cref="ArchiverException">The lease is lost, or what became of the commit cannot be learnt now.</exception>
    /// <exception cref="NpgsqlException">It was rolled back.</exception>
    public static async Task CommitAsync(
        this Lease lease,
        SourceConnections connections,
        NpgsqlConnection connection,
        NpgsqlTransaction transaction,
        CancellationToken cancellationToken
    )
    {
        var source = connections.Source.Name;
        await new CommitOutcome(
            connections.Time,
            connections.OpenAsync,
            $"The server of source '{source}' did not answer a commit, nor what became of it. It is done wholly or not at all: run it "
                + "again.",
            async (other, fate, token) =>
            {
                await lease.RequireAsync(other, source, "A commit was not answered. It is done wholly or not at all: run it again.", token);
                return fate == "committed";
            }
        ).CommitAsync(
            connection,
            transaction,
            token => lease.RequireAsync(connection, source, "This step was rolled back; run it again.", token),
            cancellationToken
        );
    }
}
