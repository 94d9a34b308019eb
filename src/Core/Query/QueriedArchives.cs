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
/// newest alone unless all generations are wanted. What was counted is what is read: archives that come later have higher ids.
/// </summary>
internal sealed class QueriedArchives
{
    private const int PageSize = 5000;

    private const string Readable = "('stored', 'archived', 'restored', 'superseded', 'unknown')";

    // What was erased, discarded or moved since it was chosen is passed over.
    private const string Page = $"""
        SELECT a.id, a.session_id, a.generation, a.state, o.key, o.version_id, a.byte_offset, a.byte_length, a.json_length, a.json_sha256, a.user_id,
               a.session_created_at, a.exported_at, a.policy, a.external_id, a.session_last_activity, a.archived_at, a.message_count
        FROM archiver.archives AS a
        JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE a.id = ANY ($1) AND a.state IN {Readable} AND o.state = 'stored' AND o.removal_began_at IS NULL
        ORDER BY a.object_id, a.byte_offset, a.id
        """;

    private readonly QueryFilter _filter;
    private readonly string _from;
    private readonly string? _key, _user;
    private long _last = long.MaxValue;

    private QueriedArchives(QueryFilter filter, string from, string? key, string? user) => (_filter, _from, _key, _user) = (filter, from, key, user);

    /// <exception cref="Diagnostics.ArchiverException">The user is no value of the source's user column; kind Configuration.</exception>
    public static async Task<QueriedArchives> PrepareAsync(NpgsqlConnection connection, SourceConnections source, QueryFilter filter, CancellationToken cancellationToken)
    {
        var given = new GivenIds(connection, source.Map);
        var user = filter.User is { } u && source.Map.Session.User is not null ? await given.UserAsync(filter.Source, u, cancellationToken) : filter.User;
        var key = filter.Session is { } id ? await given.KeyAsync(id, cancellationToken) ?? id : null;
        var column = user is null ? null : await SameUser.ColumnAsync(connection, source.Map, cancellationToken);
        return new(filter, From(SameUser.Form(column, "a.user_id"), SameUser.Form(column, "$3")), key, user);
    }

    /// <summary>How much there is to fetch. What comes to the ledger after this is not read.</summary>
    public async Task<QueryEstimate> CountAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var sql = $"SELECT count(*), count(DISTINCT a.object_id), coalesce(sum(a.byte_length), 0)::bigint, coalesce(max(a.id), 0) {_from}";
        var (estimate, last) = (await connection.QueryAsync(
            sql, row => (new QueryEstimate(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)), row.GetInt64(3)), cancellationToken, Parameters()))[0];
        _last = last;
        return estimate;
    }

    /// <summary>Notes in an entry of the audit which archives these are.</summary>
    public Task AuditAsync(NpgsqlConnection connection, AuditStamp entry, CancellationToken cancellationToken) => connection.ExecuteAsync(
        $"UPDATE archiver.audit AS t SET archives = (SELECT range_agg(int8range(a.id, a.id, '[]')) {_from}) WHERE t.id = $20",
        cancellationToken, [.. Parameters(), PgParameter.Bigint(entry.Id)]);

    /// <summary>Page by page, in the order of the objects, so that members of one bundle come together.</summary>
    public async IAsyncEnumerable<IReadOnlyList<QueriedArchive>> PagesAsync(SourceConnections source, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long[] ids;
        await using (var connection = await source.OpenAsync(cancellationToken))
            // Chosen once: to choose again for each page cost the more pages the more archives there were.
            ids = [.. await connection.QueryAsync($"SELECT a.id {_from} ORDER BY a.object_id, a.byte_offset, a.id", row => row.GetInt64(0), cancellationToken, Parameters())];
        foreach (var page in ids.Chunk(PageSize))
        {
            await using var connection = await source.OpenAsync(cancellationToken);
            yield return await connection.QueryAsync(Page, Read, cancellationToken, PgParameter.Bigints(page));
        }
    }

    /// <summary>How many of them are there to be read now; others were discarded, erased or moved to another object meanwhile.</summary>
    public async Task<long> StillThereAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await connection.ScalarAsync<long>($"SELECT count(*) {_from}", cancellationToken, Parameters());

    // The SQL's own conditions choose sessions, not archives: what a join brings beside a row that fulfils them belongs to the answer.
    private static string From(string user, string asked) => $"""
        FROM archiver.archives AS a
        JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE a.source = $1 AND o.state = 'stored' AND o.removal_began_at IS NULL AND a.id <= $2
          AND a.state IN {Readable}
          AND ($3::text IS NULL OR {user} = {asked})
          AND ($4::text IS NULL OR a.session_id = $4 OR a.external_id = $5)
          AND ($6::timestamptz IS NULL OR a.session_last_activity >= $6)
          AND ($7::timestamptz IS NULL OR a.session_last_activity < $7)
          AND ($8::text IS NULL OR a.policy = $8)
          AND ($9 OR (a.state <> 'superseded' AND NOT EXISTS (
            SELECT FROM archiver.archives AS n
            WHERE n.source = a.source AND n.session_id = a.session_id AND n.id <= $2 AND {ArchiveOrder.IsNewer("n", "a")} AND n.state IN {Readable})))
          AND ($10 OR a.session_id IN (
            SELECT c.session_id FROM archiver.archives AS c
            WHERE c.source = $1 AND c.id <= $2 AND c.state IN {Readable}
              AND ($11::text[] IS NULL OR c.session_id = ANY ($11))
              AND ($12::text[] IS NULL OR c.user_id = ANY ($12))
              AND ($13::text[] IS NULL OR c.policy = ANY ($13))
              AND ($14::text[] IS NULL OR c.external_id = ANY ($14))
              AND ($15::timestamptz IS NULL OR c.archived_at >= $15)
              AND ($16::timestamptz IS NULL OR c.archived_at <= $16)
              AND ($17::timestamptz IS NULL OR c.session_last_activity >= $17)
              AND ($18::timestamptz IS NULL OR c.session_last_activity <= $18)
              AND ($19::text[] IS NULL OR c.source = ANY ($19))))
        """;

    private NpgsqlParameter[] Parameters()
    {
        var condition = _filter.Condition;
        var (archived, active) = (condition.TimesOf(ViewColumns.ArchivedAt), condition.TimesOf(ViewColumns.LastActivity));
        return
        [
            PgParameter.Text(_filter.Source), PgParameter.Bigint(_last), PgParameter.Text(_user), PgParameter.Text(_key), PgParameter.Text(_filter.Session),
            PgParameter.InstantOrNull(_filter.From), PgParameter.InstantOrNull(_filter.To), PgParameter.Text(_filter.Policy), PgParameter.Bool(_filter.AllGenerations),
            PgParameter.Bool(condition.IsNone), PgParameter.TextsOrNull(condition.Of(ViewColumns.SessionId)), PgParameter.TextsOrNull(condition.Of(ViewColumns.UserId)),
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
