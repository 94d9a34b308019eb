using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>
/// Keeps a new hold and a destructive transaction apart (PROTOCOL.md rule 23): destructive transactions take the lock shared and read the
/// holds under it, <c>hold add</c> takes it exclusive. So once a hold was added, nothing that it covers is deleted any more.
/// </summary>
internal static class HoldLock
{
    private const string Shared = "SELECT pg_advisory_xact_lock_shared(hashtextextended('archiver/holds/' || $1, 0))";

    private const string Exclusive = "SELECT pg_advisory_xact_lock(hashtextextended('archiver/holds/' || $1, 0))";

    public static Task TakeSharedAsync(NpgsqlConnection connection, string source, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(Shared, cancellationToken, PgParameter.Text(source));

    public static Task TakeExclusiveAsync(NpgsqlConnection connection, string source, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(Exclusive, cancellationToken, PgParameter.Text(source));
}
