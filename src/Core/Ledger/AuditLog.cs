using System.Text.Json;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>The one writer of the audit.</summary>
internal static class AuditLog
{
    private const string Insert = """
        INSERT INTO archiver.audit (who, action, source, policy, run_id, reason, counts) VALUES ($1, $2, $3, $4, $5, $6, $7)
        """;

    /// <summary>
    /// Adds an entry; joins the connection's transaction. Called in the transaction of the action itself: then there is no action without
    /// its entry, and no entry of an action that was rolled back.
    /// </summary>
    public static Task WriteAsync(NpgsqlConnection connection, AuditEntry entry, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(
            Insert, cancellationToken, PgParameter.Text(entry.Who), PgParameter.Text(entry.Action), PgParameter.Text(entry.Source),
            PgParameter.Text(entry.Policy), PgParameter.UuidOrNull(entry.RunId), PgParameter.Text(entry.Reason),
            PgParameter.Json(JsonSerializer.Serialize(entry.Counts)));
}
