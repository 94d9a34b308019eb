using System.Text.Json;
using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>The one writer of the audit.</summary>
internal static class AuditLog
{
    private const string Insert = """
        INSERT INTO archiver.audit (who, action, source, policy, run_id, reason, counts) VALUES ($1, $2, $3, $4, $5, $6, $7)
        RETURNING id, at
        """;

    private const string Has = "SELECT EXISTS (SELECT FROM archiver.audit AS a WHERE a.id = $1 AND a.at = $2)";

    /// <summary>
    /// Adds an entry; joins the connection's transaction. Called in the transaction of the action itself: then there is no action without
    /// its entry, and no entry of an action that was rolled back.
    /// </summary>
    /// <returns>What tells this entry from every other, also from one that another server gave the same id.</returns>
    public static async Task<AuditStamp> WriteAsync(NpgsqlConnection connection, AuditEntry entry, CancellationToken cancellationToken) =>
        (
            await connection.QueryAsync(
                Insert,
                row => new AuditStamp(row.GetInt64(0), row.GetFieldValue<DateTimeOffset>(1)),
                cancellationToken,
                PgParameter.Text(entry.Who),
                PgParameter.Text(entry.Action),
                PgParameter.Text(entry.Source),
                PgParameter.Text(entry.Policy),
                PgParameter.UuidOrNull(entry.RunId),
                PgParameter.Text(entry.Reason),
                PgParameter.Json(JsonSerializer.Serialize(entry.Counts, PlainJson.Default.Counts))
            )
        )[0];

    /// <summary>Whether the entry is there: the transaction that wrote it was committed.</summary>
    public static async Task<bool> HasAsync(NpgsqlConnection connection, AuditStamp stamp, CancellationToken cancellationToken) =>
        await connection.ScalarAsync<bool>(Has, cancellationToken, PgParameter.Bigint(stamp.Id), PgParameter.Instant(stamp.At));
}

/// <summary>An entry of the audit, as it was written.</summary>
internal readonly record struct AuditStamp(long Id, DateTimeOffset At);
