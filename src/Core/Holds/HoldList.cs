using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Holds;

/// <summary>The legal holds of a source, for people.</summary>
internal static class HoldList
{
    private const string Holds = """
        SELECT h.id, h.session_id, h.user_id,
               to_char(h.from_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
               to_char(h.to_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
               h.reason, h.created_by, to_char(h.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
               h.removed_by, to_char(h.removed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        FROM archiver.holds AS h
        WHERE h.source = $1 AND ($2 OR h.removed_at IS NULL)
        ORDER BY h.id
        """;

    /// <summary>Holds in force, oldest first; with <paramref name="removed"/> also those that were lifted.</summary>
    public static async Task<IReadOnlyList<ListedHold>> ReadAsync(
        NpgsqlConnection connection,
        string source,
        bool removed,
        CancellationToken cancellationToken
    ) =>
        await connection.QueryAsync(
            Holds,
            row => new ListedHold(
                source,
                row.GetInt64(0),
                row.TextOrNull(1),
                row.TextOrNull(2),
                row.TextOrNull(3),
                row.TextOrNull(4),
                row.GetString(5),
                row.GetString(6),
                row.GetString(7),
                row.TextOrNull(8),
                row.TextOrNull(9)
            ),
            cancellationToken,
            PgParameter.Text(source),
            PgParameter.Bool(removed)
        );

    /// <summary>The same; a hold by a user that no row of the user column can have says so.</summary>
    /// <exception cref="ArchiverException">Row security hides rows: nobody could say what is covered.</exception>
    public static async Task<IReadOnlyList<ListedHold>> ReadAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        bool removed,
        CancellationToken cancellationToken
    )
    {
        await RowSecurity.RequireAllRowsAsync(connection, source, cancellationToken);
        var holds = await ReadAsync(connection, source.Name, removed, cancellationToken);
        if (await SameUser.ColumnAsync(connection, source.Map, cancellationToken) is not { } column)
            return holds;
        var odd = (
            await connection.QueryAsync(
                "SELECT h.id FROM archiver.holds AS h WHERE h.source = $1 AND h.removed_at IS NULL AND "
                    + $"{SameUser.IsNoValue(column, "h.user_id")}",
                row => row.GetInt64(0),
                cancellationToken,
                PgParameter.Text(source.Name)
            )
        ).ToHashSet();
        var note =
            $"no value of {source.Map.Session.Table}.{PgIdentifier.Quote(column.Name)}: it covers archives of that spelling, and no "
            + "live session";
        return [.. holds.Select(h => odd.Contains(h.Id) ? h with { Note = note } : h)];
    }
}
