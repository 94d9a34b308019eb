using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>Which archives to list; null means any.</summary>
/// <param name="Source">Name of the source.</param>
/// <param name="User">User id, however it is written.</param>
/// <param name="From">Last activity not before.</param>
/// <param name="To">Last activity before.</param>
/// <param name="State">Archive state, such as <c>archived</c>.</param>
/// <param name="Limit">At most so many.</param>
/// <param name="After">Id of the last row of the page before.</param>
/// <param name="Id">Session key, however it is written, or external id.</param>
/// <param name="Policy">Policy that archived it.</param>
internal sealed record ArchiveFilter(
    string Source,
    string? User,
    DateTimeOffset? From,
    DateTimeOffset? To,
    string? State,
    int Limit,
    long? After,
    string? Id = null,
    string? Policy = null
);

/// <summary>One archive, as listed.</summary>
internal sealed record ListedArchive(
    long Id,
    string SessionId,
    string? ExternalId,
    int Generation,
    string State,
    string? User,
    string? LastActivity,
    long Messages,
    string Key,
    long Offset,
    long Length,
    string? ArchivedAt,
    string Policy,
    string? Keep,
    bool Part
);

/// <summary>Reads archives from the ledger, newest first.</summary>
internal sealed class ArchiveList(ConnectionCatalog connections)
{
    private const string List = """
        SELECT a.id, a.session_id, a.external_id, a.generation, a.state, a.user_id,
               to_char(a.session_last_activity AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
               a.message_count, o.key, a.byte_offset, a.byte_length,
               to_char(a.archived_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
               a.policy, a.keep::text, a.part
        FROM archiver.archives AS a
        JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE a.source = $1
          AND ($2::text[] IS NULL OR a.user_id = ANY ($2))
          AND ($3::timestamptz IS NULL OR a.session_last_activity >= $3)
          AND ($4::timestamptz IS NULL OR a.session_last_activity < $4)
          AND ($5::text IS NULL OR a.state = $5)
          AND ($6::bigint IS NULL OR a.id < $6)
          AND ($10::text IS NULL OR a.policy = $10)
          AND ($9::text IS NULL OR a.session_id = $8 OR a.external_id = $9)
        ORDER BY a.id DESC
        LIMIT $7
        """;

    /// <exception cref="Diagnostics.ArchiverException">The user is no value of the source's user column; kind Configuration.</exception>
    public async Task<IReadOnlyList<ListedArchive>> ReadAsync(ArchiveFilter filter, CancellationToken cancellationToken)
    {
        await using var connection = await connections[filter.Source].OpenAsync(cancellationToken);
        if (!await Migrator.ExistsAsync(connection, cancellationToken))
            return [];
        var source = await OptionalParts.OfNowAsync(connection, connections[filter.Source].Source, cancellationToken);
        await SourceRegistry.CheckAsync(connection, source, cancellationToken);
        var (map, given) = (source.Map, new GivenIds(connection, source.Map));
        // Archives from the time when users were mapped are still there where they are not any more.
        var user =
            filter.User is { } u && map.Session.User is not null ? await given.UserAsync(filter.Source, u, cancellationToken) : filter.User;
        var users = await SameUser.InLedgerAsync(connection, filter.Source, map, user, cancellationToken);
        var key = filter.Id is { } id ? await given.KeyAsync(id, cancellationToken) ?? id : null;
        return await connection.QueryAsync(
            List,
            Read,
            cancellationToken,
            PgParameter.Text(filter.Source),
            PgParameter.TextsOrNull(users),
            PgParameter.InstantOrNull(filter.From),
            PgParameter.InstantOrNull(filter.To),
            PgParameter.Text(filter.State),
            PgParameter.Bigint(filter.After),
            PgParameter.Int(filter.Limit),
            PgParameter.Text(key),
            PgParameter.Text(filter.Id),
            PgParameter.Text(filter.Policy)
        );
    }

    private static ListedArchive Read(NpgsqlDataReader row) =>
        new(
            row.GetInt64(0),
            row.GetString(1),
            row.TextOrNull(2),
            row.GetInt32(3),
            row.GetString(4),
            row.TextOrNull(5),
            row.TextOrNull(6),
            row.GetInt64(7),
            row.GetString(8),
            row.GetInt64(9),
            row.GetInt64(10),
            row.TextOrNull(11),
            row.GetString(12),
            row.TextOrNull(13),
            row.GetBoolean(14)
        );
}
