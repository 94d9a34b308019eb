using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Query;

/// <summary>Which archives of the ledger a question is about, as SQL.</summary>
internal sealed class QueryChoice
{
    // And every part whose messages are not in the tables; none hides another archive, and none is hidden.
    private static readonly string Newest = $"""
        AND a.state <> 'superseded' AND (NOT a.part OR a.state IN ('archived', 'unknown')) AND NOT EXISTS (
          SELECT FROM archiver.archives AS n
          WHERE NOT a.part AND NOT n.part AND n.source = a.source AND n.session_id = a.session_id AND {ArchiveOrder.IsNewer("n", "a")}
            AND n.state IN {ArchiveStates.Readable})
        """;

    // Of a session without a row each archive whose rows are not in the tables has rows of its own.
    private static readonly string Left = $"""
        AND a.state <> 'superseded' AND (a.state IN ('archived', 'unknown') OR NOT EXISTS (
          SELECT FROM archiver.archives AS n
          WHERE n.source = a.source AND n.session_id = a.session_id AND {ArchiveOrder.IsNewer("n", "a")}
            AND n.state IN {ArchiveStates.Readable} AND n.state <> 'superseded'))
        """;

    // The SQL's own conditions choose sessions, not archives: what a join brings beside a row that fulfils them belongs to the answer.
    private const string OfChosenSessions = $"""
        AND a.session_id IN (
          SELECT c.session_id FROM archiver.archives AS c
          WHERE c.source = $1 AND c.state IN {ArchiveStates.Readable}
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
    private readonly string? _key,
        _user;

    private QueryChoice(QueryFilter filter, string from, string? key, string? user) =>
        (_filter, From, _key, _user) = (filter, from, key, user);

    /// <summary>Name of the source.</summary>
    public string Source => _filter.Source;

    /// <summary>From FROM on; <c>a</c> is the archive, and the values are <see cref="Parameters"/>.</summary>
    public string From { get; }

    /// <exception cref="Diagnostics.ArchiverException">The user is no value of the source's user column; kind Configuration.</exception>
    public static async Task<QueryChoice> PrepareAsync(
        NpgsqlConnection connection,
        SourceMap map,
        QueryFilter filter,
        CancellationToken cancellationToken
    )
    {
        var given = new GivenIds(connection, map);
        var user =
            filter.User is { } u && map.Session.User is not null ? await given.UserAsync(filter.Source, u, cancellationToken) : filter.User;
        var key = filter.Session is { } id ? await given.KeyAsync(id, cancellationToken) ?? id : null;
        var column = user is null ? null : await SameUser.ColumnAsync(connection, map, cancellationToken);
        return new(filter, Sql(map, filter, SameUser.Form(column, "a.user_id"), SameUser.Form(column, "$2")), key, user);
    }

    /// <summary>For <see cref="From"/>.</summary>
    public NpgsqlParameter[] Parameters()
    {
        var condition = _filter.Condition;
        var (archived, active) = (condition.TimesOf(ViewColumns.ArchivedAt), condition.TimesOf(ViewColumns.LastActivity));
        return
        [
            PgParameter.Text(_filter.Source),
            PgParameter.Text(_user),
            PgParameter.Text(_key),
            PgParameter.Text(_filter.Session),
            PgParameter.InstantOrNull(_filter.From),
            PgParameter.InstantOrNull(_filter.To),
            PgParameter.Text(_filter.Policy),
            PgParameter.TextsOrNull(condition.Of(ViewColumns.SessionId)),
            PgParameter.TextsOrNull(condition.Of(ViewColumns.UserId)),
            PgParameter.TextsOrNull(condition.Of(ViewColumns.Policy)),
            PgParameter.TextsOrNull(condition.Of(ViewColumns.ExternalId)),
            PgParameter.InstantOrNull(archived.From),
            PgParameter.InstantOrNull(archived.To),
            PgParameter.InstantOrNull(active.From),
            PgParameter.InstantOrNull(active.To),
            PgParameter.TextsOrNull(condition.Of(ViewColumns.Source)),
        ];
    }

    // No conditions that are switched off by a parameter around these: PostgreSQL would look for each archive's newer ones by itself.
    private static string Sql(SourceMap map, QueryFilter filter, string user, string asked) =>
        $"""
            FROM archiver.archives AS a
            JOIN archiver.objects AS o ON o.id = a.object_id
            WHERE a.source = $1 AND o.state = 'stored' AND o.removal_began_at IS NULL
              AND a.state IN {ArchiveStates.Readable}
              AND ($2::text IS NULL OR {user} = {asked})
              AND ($3::text IS NULL OR a.session_id = $3 OR a.external_id = $4)
              AND ($5::timestamptz IS NULL OR a.session_last_activity >= $5)
              AND ($6::timestamptz IS NULL OR a.session_last_activity < $6)
              AND ($7::text IS NULL OR a.policy = $7)
              {(
                filter.AllGenerations ? ""
                : map.Session.HasRow ? Newest
                : Left
            )}
              {(filter.Condition.IsNone ? "" : OfChosenSessions)}
            """;
}
