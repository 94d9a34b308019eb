using Archiver.Core.Bucket;
using Archiver.Core.Documents;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Erasure;

/// <summary>Finds sessions that were erased and are here again, as after the database was restored to an earlier time.</summary>
internal sealed class ErasedAgain(
    NpgsqlConnection connection,
    SourceSettings source,
    SourceShape shape,
    IReadOnlyList<FoundObject> unrecorded
)
{
    private const string Archived = """
        SELECT a.session_id, a.user_id, a.session_created_at, a.exported_at FROM archiver.archives AS a WHERE a.source = $1
          AND a.state <> 'erased'
        """;

    private const string NamelessMembers = """
        SELECT m.id, o.created_at
        FROM archiver.objects AS o, unnest(o.members) AS m (id)
        WHERE o.source = $1 AND o.state <> 'erased'
          AND NOT EXISTS (SELECT FROM archiver.archives AS a WHERE a.object_id = o.id AND a.session_id = m.id COLLATE "C")
        """;

    /// <summary>
    /// What the tombstones cover and is here all the same. A session whose id a newer one bears now is left out, and named in the second
    /// set: its copies cannot be told from the newer one's by id.
    /// </summary>
    public async Task<(IReadOnlySet<string> Erased, IReadOnlySet<string> Reused)> FindAsync(
        TombstoneSet tombstones,
        CancellationToken cancellationToken
    )
    {
        SortedSet<string> covered = new(StringComparer.Ordinal),
            newer = new(StringComparer.Ordinal);
        void Judge(string session, string? user, DateTimeOffset? created, DateTimeOffset? copied) =>
            (tombstones.Covers(session, user, created, copied) ? covered : newer).Add(session);
        await EachAsync(await LiveAsync(tombstones, cancellationToken));
        await EachAsync((Archived, [PgParameter.Text(source.Name)]));
        foreach (
            var (session, at) in await connection.QueryAsync(
                NamelessMembers,
                row => (row.GetString(0), row.GetFieldValue<DateTimeOffset>(1)),
                cancellationToken,
                PgParameter.Text(source.Name)
            )
        )
        {
            // The copy was made before the erasure, so the session began before it.
            if (tombstones.Covers(session, null, at, null))
                covered.Add(session);
        }
        foreach (var document in unrecorded.SelectMany(o => o.Documents))
            Judge(document.SessionId, document.User, null, document.ArchivedAt);
        SortedSet<string> reused = [.. covered.Where(newer.Contains)];
        covered.ExceptWith(reused);
        return (covered, reused);

        async Task EachAsync((string Sql, NpgsqlParameter[] Parameters) query)
        {
            await using var command = connection.Command(query.Sql, query.Parameters);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                Judge(reader.GetString(0), reader.TextOrNull(1), reader.InstantOrNull(2), reader.InstantOrNull(3));
        }
    }

    /// <summary>
    /// Live sessions whose key or user was ever erased, with when they began: as <c>Created</c> says it, else by their oldest activity and
    /// row. One that came back has rows from before the erasure, whenever it was used since; what nothing is known of counts as old.
    /// </summary>
    private async Task<(string Sql, NpgsqlParameter[] Parameters)> LiveAsync(TombstoneSet tombstones, CancellationToken cancellationToken)
    {
        var table = source.Map.Session;
        var user = table.User is null ? "NULL::text" : $"{SessionPath.Column("s", table.User)}::text";
        List<string> named = [];
        await using (var command = connection.Command($"SELECT {Key}::text, {user} FROM {table.Sql} AS s"))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                if (tombstones.CoversSession(reader.GetString(0)) || (reader.TextOrNull(1) is { } u && tombstones.CoversUser(u)))
                    named.Add(reader.GetString(0));
            }
        }
        var parameters = new SqlParameters();
        var keys = parameters.Add(PgParameter.Texts(named));
        string Instant(TimeColumn time) => TimeSql.Of(source, shape, time).Instant(parameters);
        var activity = table.Activity.Select(Instant).ToList();
        var rows = source
            .Map.Children.Where(c => c.Time is not null)
            .Select(c => (Child: c, Path: SessionPath.Of(source.Map, shape, c)))
            .Select(c =>
                $"(SELECT min({TimeSql.Of(source, shape, c.Child, c.Child.Time!).Instant(parameters)}) FROM "
                + $"{c.Path.From(c.Child)} WHERE {c.Path.Where(KeyMatch.Is(Key))})"
            );
        var oldest = $"CASE WHEN num_nulls({string.Join(", ", activity)}) = 0 THEN least({string.Join(", ", [.. activity, .. rows])}) END";
        var began = table.Created is { } created
            ? $"coalesce({TimeSql.Of(source, shape, created, first: true).Instant(parameters)}, {oldest})"
            : oldest;
        var sql = $"""
            SELECT b.key, b.user_id, CASE WHEN isfinite(b.began) THEN b.began END, NULL::timestamptz
            FROM (SELECT {Key}::text AS key, {user} AS user_id, {began} AS began FROM {table.Sql} AS s
              WHERE {KeyMatch.Among(KeyForm.Of(source.Map, shape), keys).Sql(Key)}) AS b
            """;
        return (sql, parameters.ToArray());
    }

    private SessionKey Key => shape.KeyOf(source.Map, "s");
}
