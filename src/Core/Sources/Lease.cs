using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Sources;

/// <summary>
/// Proof that this is still the database the run exported from, and that the run still owns its lock: a random advisory lock held by the
/// lock connection. It dies with that connection, so a failover, a crash, a lost lock or a worker that slept through one of them finds it
/// gone, where transaction ids could be equal by chance (docs/protocol.md rule 6).
/// </summary>
/// <param name="Nonce">The random lock key.</param>
/// <param name="BackendPid">The backend that holds it.</param>
internal sealed record Lease(long Nonce, int BackendPid)
{
    // pg_locks shows a 64-bit advisory key as two halves, with objsubid 1.
    private const string Holder = """
        SELECT FROM pg_locks AS l
        WHERE l.locktype = 'advisory'
          AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
          AND l.classid = ((lease.nonce >> 32) & 4294967295)::oid
          AND l.objid = (lease.nonce & 4294967295)::oid
          AND l.objsubid = 1
          AND l.mode = 'ExclusiveLock'
          AND l.granted
        """;

    private const string IsHeld = $"SELECT EXISTS ({Holder} AND l.pid = $2) FROM (SELECT $1 AS nonce) AS lease";

    /// <summary>
    /// As a condition on <c>archiver.runs</c>, alias <c>r</c>: the run's lease is held, so it lives. Without a lease it does not.
    /// </summary>
    public const string OfLivingRun = $"EXISTS (SELECT FROM (SELECT r.lease AS nonce) AS lease WHERE EXISTS ({Holder}))";

    /// <summary>Asks the server, inside the caller's transaction, whether the lease is still held.</summary>
    public async Task<bool> IsHeldAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await connection.ScalarAsync<bool>(IsHeld, cancellationToken, PgParameter.Bigint(Nonce), PgParameter.Int(BackendPid));

    /// <summary>Part of every step that changes something: whoever lost the lock may not go on.</summary>
    /// <param name="connection">In the step's transaction.</param>
    /// <param name="source">Whose lock it is.</param>
    /// <param name="consequence">Sentences for a person: what was done and what was not.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArchiverException">The lease is lost.</exception>
    public async Task RequireAsync(NpgsqlConnection connection, string source, string consequence, CancellationToken cancellationToken)
    {
        if (!await IsHeldAsync(connection, cancellationToken))
            throw new ArchiverException(
                FailureKind.Failed,
                $"The lock on source '{source}' was lost (server restarted or failed over, connection cut, or this process was "
                    + $"suspended). {consequence}"
            );
    }
}
