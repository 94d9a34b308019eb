using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Purge;

/// <summary>The archiver's own updates of session rows that the transaction has locked.</summary>
internal sealed class SessionUpdate(SourceMap map, SourceShape shape)
{
    /// <summary>
    /// Sets the mapped status; the keys of the rows that were updated. <see cref="ApplicationPath.FireAndLeave"/> is to follow.
    /// </summary>
    public async Task<IReadOnlyList<string>> SetStatusAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<string> keys,
        string status,
        CancellationToken cancellationToken
    )
    {
        var form = KeyForm.Of(map, shape);
        var key = form.Of("t");
        // The status may be an enumeration or a domain, so the server takes the value's type from the column.
        var sql = $"""
            UPDATE {map.Session.Table.Sql} AS t
            SET {PgIdentifier.Quote(map.Session.Status!)} = $2
            WHERE {KeyMatch.Among(form, "$1").Sql(key)} AND {ApplicationPath.Enter}
            RETURNING {key}::text
            """;
        return await connection.QueryAsync(
            sql,
            row => row.GetString(0),
            cancellationToken,
            form.Parameter(keys),
            PgParameter.Untyped(status)
        );
    }
}
