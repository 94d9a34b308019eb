using System.Runtime.CompilerServices;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Reading;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Query;

/// <summary>
/// The archives of a source that a question is about, from the ledger: what was discarded or erased is not among them, and of each session the
/// newest alone unless all generations are wanted. They are chosen once: what was counted and noted in the audit is what is read.
/// </summary>
internal sealed class QueriedArchives
{
    private const int PageSize = 5000;

    private const string Readable = "('stored', 'archived', 'restored', 'superseded', 'unknown')";

    // What was erased, discarded or moved since it was chosen is passed over.
    private const string StillReadable = $"""
        FROM archiver.archives AS a
        JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE a.id = ANY ($1) AND a.state IN {Readable} AND o.state = 'stored' AND o.removal_began_at IS NULL
        """;

    private const string Page = $"""
        SELECT a.id, a.session_id, a.generation, a.state, o.key, o.version_id, a.byte_offset, a.byte_length, a.json_length, a.json_sha256, a.user_id,
               a.session_created_at, a.exported_at, a.policy, a.external_id, a.session_last_activity, a.archived_at, a.message_count
        {StillReadable}
        ORDER BY a.object_id, a.byte_offset, a.id
        """;

    private static readonly string Newest = $"""
        AND a.state <> 'superseded' AND NOT EXISTS (
          SELECT FROM archiver.archives AS n
          WHERE n.source = a.source AND n.session_id = a.session_id AND {ArchiveOrder.IsNewer("n", "a")} AND n.state IN {Readable})
        """;

    // The SQL's own conditions choose sessions, not archives: what a join brings beside a row that fulfils them belongs to the answer.
    private const string OfChosenSessions = $"""
        AND a.session_id IN (
          SELECT c.session_id FROM archiver.archives AS c
          WHERE c.source = $1 AND c.state IN {Readable}
            AND ($8::text[] IS NULL OR c.session_id = ANY ($8))
            AND ($9::text[] IS NULL OR c.user_id = ANY ($9))
            AND ($10::text[] IS NULL OR c.policy = ANY ($10))
            AND ($11::text[] IS NULL OR c.external_id = ANY ($11))
            AND ($12::timestamptz IS NULL OR c.archived_at >= $12)
            AND ($13::timestamptz IS NULL OR c.archived_at <= $13)
            AND ($14::timestamptz IS NULL OR c.session_last_activity >= $14)
            AND ($15::timestamptz IS NULL OR c.session_last_activity <= $15)
            AND ($16::text[] IS NULL OR c.source = ANY ($16)))
        """;

    private readonly QueryFilter _filter;
    private readonly string _from;
    private readonly string? _key, _user;
    private long[] _ids = [];

    private QueriedArchives(QueryFilter filter, string from, string? key, string? user) => (_filter, _from, _key, _user) = (filter, from, key, user);

    /// <exception cref="Diagnostics.ArchiverException">The user is no value of the source's user column; kind Configuration.</exception>
    public static async Task<QueriedArchives> PrepareAsync(NpgsqlConnection connection, SourceConnections source, QueryFilter filter, CancellationToken cancellationToken)
    {
        var given = new GivenIds(connection, source.Map);
        var user = filter.User is { } u && source.Map.Session.User is not null ? await given.UserAsync(filter.Source, u, cancellationToken) : filter.User;
        var key = filter.Session is { } id ? await given.KeyAsync(id, cancellationToken) ?? id : null;
        var column = user is null ? null : await SameUser.ColumnAsync(connection, source.Map, cancellationToken);
        return new(filter, From(filter, SameUser.Form(column, "a.user_id"), SameUser.Form(column, "$2")), key, user);
    }

    /// <summary>Chooses them, once: what comes to the ledger after this is not read, and to choose again would cost the same again.</summary>
    /// <returns>How much there is to fetch.</returns>
    public async Task<QueryEstimate> ChooseAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var (objects, bytes, last) = (0L, 0L, -1L);
        // In the order of the objects, so that members of one bundle come together.
        _ids = [.. await connection.QueryAsync($"SELECT a.id, a.object_id, a.byte_length {_from} ORDER BY a.object_id, a.byte_offset, a.id", row =>
        {
            objects += row.GetInt64(1) == last ? 0 : 1;
            last = row.GetInt64(1);
            bytes += row.GetInt64(2);
            return row.GetInt64(0);
        }, cancellationToken, Parameters())];
        return new(_ids.Length, objects, bytes);
    }

    /// <summary>Notes in an entry of the audit which archives these are.</summary>
    public Task AuditAsync(NpgsqlConnection connection, AuditStamp entry, CancellationToken cancellationToken) => connection.ExecuteAsync(
        "UPDATE archiver.audit AS t SET archives = $1 WHERE t.id = $2", cancellationToken, PgParameter.Ranges(_ids), PgParameter.Bigint(entry.Id));

    /// <summary>Page by page.</summary>
    public async IAsyncEnumerable<IReadOnlyList<QueriedArchive>> PagesAsync(SourceConnections source, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var page in _ids.Chunk(PageSize))
        {
            await using var connection = await source.OpenAsync(cancellationToken);
            yield return await connection.QueryAsync(Page, Read, cancellationToken, PgParameter.Bigints(page));
        }
    }

    /// <summary>How many of them are there to be read now; others were discarded, erased or moved to another object meanwhile.</summary>
    public Task<long> StillThereAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        connection.ScalarAsync<long>($"SELECT count(*) {StillReadable}", cancellationToken, PgParameter.Bigints(_ids));

    // No conditions that are switched off by a parameter around these: PostgreSQL would look for each archive's newer ones by itself.
    private static string From(QueryFilter filter, string user, string asked) => $"""
        FROM archiver.archives AS a
        JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE a.source = $1 AND o.state = 'stored' AND o.removal_began_at IS NULL
          AND a.state IN {Readable}
          AND ($2::text IS NULL OR {user} = {asked})
          AND ($3::text IS NULL OR a.session_id = $3 OR a.external_id = $4)
          AND ($5::timestamptz IS NULL OR a.session_last_activity >= $5)
          AND ($6::timestamptz IS NULL OR a.session_last_activity < $6)
          AND ($7::text IS NULL OR a.policy = $7)
          {(filter.AllGenerations ? "" : Newest)}
          {(filter.Condition.IsNone ? "" : OfChosenSessions)}
        """;

    private NpgsqlParameter[] Parameters()
    {
        var condition = _filter.Condition;
        var (archived, active) = (condition.TimesOf(ViewColumns.ArchivedAt), condition.TimesOf(ViewColumns.LastActivity));
        return
        [
            PgParameter.Text(_filter.Source), PgParameter.Text(_user), PgParameter.Text(_key), PgParameter.Text(_filter.Session),
            PgParameter.InstantOrNull(_filter.From), PgParameter.InstantOrNull(_filter.To), PgParameter.Text(_filter.Policy),
            PgParameter.TextsOrNull(condition.Of(ViewColumns.SessionId)), PgParameter.TextsOrNull(condition.Of(ViewColumns.UserId)),
            PgParameter.TextsOrNull(condition.Of(ViewColumns.Policy)), PgParameter.TextsOrNull(condition.Of(ViewColumns.ExternalId)),
            PgParameter.InstantOrNull(archived.From), PgParameter.InstantOrNull(archived.To), PgParameter.InstantOrNull(active.From), PgParameter.InstantOrNull(active.To),
            PgParameter.TextsOrNull(condition.Of(ViewColumns.Source)),
        ];
    }

    private QueriedArchive Read(NpgsqlDataReader row) => new(
        new LocatedArchive(
            row.GetInt64(0), _filter.Source, row.GetString(1), row.GetInt32(2), row.GetString(3), new ObjectName(row.GetString(4), row.TextOrNull(5)),
            row.GetInt64(6), row.GetInt64(7), row.GetInt64(8), row.GetFieldValue<byte[]>(9))
        {
            User = row.TextOrNull(10),
            Created = row.InstantOrNull(11),
            CopiedAt = row.GetFieldValue<DateTimeOffset>(12),
        })
    {
        Policy = row.GetString(13),
        ExternalId = row.TextOrNull(14),
        LastActivity = row.InstantOrNull(15),
        ArchivedAt = row.InstantOrNull(16),
        Messages = row.GetInt64(17),
    };
}

/// <summary>What a question would fetch.</summary>
/// <param name="Archives">Archives whose documents are read.</param>
/// <param name="Objects">Objects that they lie in.</param>
/// <param name="Bytes">Compressed bytes of these documents.</param>
internal sealed record QueryEstimate(long Archives, long Objects, long Bytes)
{
    public static QueryEstimate operator +(QueryEstimate one, QueryEstimate other) => new(one.Archives + other.Archives, one.Objects + other.Objects, one.Bytes + other.Bytes);
}
