using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Reconciliation;

/// <summary>
/// Gives archives in state <c>unknown</c>, and those that contradict the rows, the state that the rows say. Of a part the session's row
/// says nothing: it is there whether the messages are or not. Neither do rows under the key of a session without a row: they may have come
/// since. What was found of these counts as archived; where its messages are live, a restore finds them there.
/// </summary>
internal sealed class UnknownArchives(NpgsqlConnection connection, SourceSettings source, SourceShape shape)
{
    private string Live => $"EXISTS (SELECT FROM {source.Map.Session.Sql} AS t WHERE {shape.KeyOf(source.Map, "t")}::text = a.session_id)";

    private static readonly string Newest = $"""
        NOT EXISTS (SELECT FROM archiver.archives AS n
                    WHERE n.source = a.source AND n.session_id = a.session_id AND {ArchiveOrder.IsNewer("n", "a")} AND NOT n.part
                      AND n.state IN {ArchiveStates.Readable})
        """;

    private static readonly string Repeated = $"""
        EXISTS (SELECT FROM archiver.archives AS n
                WHERE n.source = a.source AND n.session_id = a.session_id AND {ArchiveOrder.IsNewer("n", "a")}
                  AND n.state IN {ArchiveStates.Readable} AND n.session_first_activity <= a.session_last_activity)
        """;

    /// <summary>
    /// Rows gone: the newest one is the archive, older ones have been replaced by it, also those that a ledger of an earlier time still
    /// calls archived. Where rows are live nothing is decided.
    /// </summary>
    public async Task SettleGoneAsync(CancellationToken cancellationToken)
    {
        if (!source.Map.Session.HasRow)
        {
            await connection.ExecuteAsync(SettleRowless, cancellationToken, PgParameter.Text(source.Name));
            return;
        }
        await connection.ExecuteAsync(
            "UPDATE archiver.archives AS a SET state = 'archived', archived_at = coalesce(a.archived_at, a.exported_at) WHERE a.source = "
                + "$1 AND a.part AND a.state = 'unknown'",
            cancellationToken,
            PgParameter.Text(source.Name)
        );
        await connection.ExecuteAsync(
            $"""
            UPDATE archiver.archives AS a
            SET state = CASE WHEN {Newest} THEN 'archived' ELSE 'superseded' END,
                archived_at = CASE WHEN {Newest} THEN coalesce(a.archived_at, a.exported_at) ELSE a.archived_at END
            WHERE a.source = $1 AND NOT a.part AND (a.state = 'unknown' OR (a.state = 'archived' AND NOT {Newest})) AND NOT {Live}
            """,
            cancellationToken,
            PgParameter.Text(source.Name)
        );
    }

    // Several may be archived at once. One that begins before another ended has the other's rows: these were restored, and archived again.
    private static readonly string SettleRowless = $"""
        UPDATE archiver.archives AS a
        SET state = CASE WHEN {Repeated} THEN 'superseded' ELSE 'archived' END,
            archived_at = CASE WHEN {Repeated} THEN a.archived_at ELSE coalesce(a.archived_at, a.exported_at) END
        WHERE a.source = $1 AND a.state = 'unknown'
        """;

    /// <summary>Sessions that the ledger calls archived, or cannot tell since a rebuild, and that have a row.</summary>
    public async Task<IReadOnlyList<string>> LiveAndArchivedAsync(CancellationToken cancellationToken) =>
        !source.Map.Session.HasRow
            ? []
            : await connection.QueryAsync(
                "SELECT DISTINCT a.session_id FROM archiver.archives AS a WHERE a.source = $1 AND NOT a.part AND a.state IN ('archived', "
                    + $"'unknown') AND {Live} ORDER BY a.session_id",
                row => row.GetString(0),
                cancellationToken,
                PgParameter.Text(source.Name)
            );

    /// <summary>
    /// Sessions that are live count as restored, whoever brought them back: they get their grace, and are archived again as the next
    /// generation. An older generation is superseded. No object is touched.
    /// </summary>
    public async Task<int> SettleLiveAsync(CancellationToken cancellationToken) =>
        !source.Map.Session.HasRow
            ? 0
            : await connection.ExecuteAsync(
                $"""
                UPDATE archiver.archives AS a
                SET state = CASE WHEN {Newest} THEN 'restored' ELSE 'superseded' END, restored_at = CASE WHEN {Newest}
                  THEN clock_timestamp() END
                WHERE a.source = $1 AND NOT a.part AND a.state IN ('archived', 'unknown') AND {Live}
                """,
                cancellationToken,
                PgParameter.Text(source.Name)
            );

    /// <summary>Sessions that the ledger calls restored or stored, or that were live at a rebuild, and that have no row.</summary>
    public async Task<IReadOnlyList<string>> DeletedSinceAsync(CancellationToken cancellationToken) =>
        await connection.QueryAsync(
            "SELECT a.session_id FROM archiver.archives AS a WHERE a.source = $1 AND NOT a.part AND a.state IN ('restored', 'stored', "
                + $"'unknown') AND {Newest} AND NOT {Live} ORDER BY a.session_id",
            row => row.GetString(0),
            cancellationToken,
            PgParameter.Text(source.Name)
        );

    /// <summary>
    /// The application deleted them: no copy stands for live rows any more. Their objects stay, and a restore by id brings them back.
    /// </summary>
    public async Task<int> SettleDeletedAsync(CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(
            $"""
            UPDATE archiver.archives AS a
            SET state = 'superseded', reason = 'deleted by the application', ended_at = clock_timestamp()
            WHERE a.source = $1 AND NOT a.part AND (a.state = 'unknown' OR (a.state IN ('restored', 'stored') AND {Newest})) AND NOT {Live}
            """,
            cancellationToken,
            PgParameter.Text(source.Name)
        );
}
