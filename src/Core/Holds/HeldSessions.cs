using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Holds;

/// <summary>
/// Which of some sessions a hold covers, by any trace of them: the live row, any archive, or the bare id. One trace that is held holds the
/// whole session.
/// </summary>
internal static class HeldSessions
{
    private static string Archived(ColumnShape? user) =>
        $"""
            SELECT DISTINCT a.session_id FROM archiver.archives AS a WHERE a.source = $1 AND a.session_id = ANY ($2) AND a.state <> 'erased'
              AND NOT {HoldCondition.ArchiveNotHeld("a", user)}
            UNION
            SELECT h.session_id FROM archiver.holds AS h WHERE h.source = $1 AND h.removed_at IS NULL AND h.session_id = ANY ($2)
            """;

    // Neither live nor archived: nobody knows whose it is or when it was.
    private static string Nameless(string live) =>
        $"""
            SELECT k.id FROM unnest($2) AS k (id)
            WHERE NOT EXISTS (SELECT FROM archiver.archives AS a WHERE a.source = $1 AND a.session_id = k.id COLLATE "C"
              AND a.state <> 'erased')
              AND NOT {live} AND NOT {HoldCondition.IdNotHeld("$1", "k.id")}
            """;

    public static async Task<IReadOnlySet<string>> FindAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        SourceShape shape,
        IReadOnlyCollection<string> sessions,
        CancellationToken cancellationToken
    )
    {
        HashSet<string> held = new(StringComparer.Ordinal);
        if (sessions.Count == 0)
            return held;
        var parameters = new SqlParameters();
        var form = KeyForm.Of(source.Map, shape);
        var key = form.Of("s");
        var (name, keys) = (parameters.Add(PgParameter.Text(source.Name)), parameters.Add(PgParameter.Texts(sessions)));
        var live = $"""
            SELECT {key}::text FROM {source.Map.Session.Sql} AS s
            WHERE {KeyMatch.Among(form, keys).Sql(key)} AND NOT {HoldCondition.NotHeld(source, shape, key, name, parameters)}
            """;
        held.UnionWith(await connection.QueryAsync(live, row => row.GetString(0), cancellationToken, parameters.ToArray()));
        var nameless = Nameless($"EXISTS (SELECT FROM {source.Map.Session.Sql} AS s WHERE {key.Is(form.Parse($"k.id::{form.Type}"))})");
        foreach (var sql in new[] { Archived(SameUser.Column(source.Map, shape)), nameless })
            held.UnionWith(
                await connection.QueryAsync(
                    sql,
                    row => row.GetString(0),
                    cancellationToken,
                    PgParameter.Text(source.Name),
                    PgParameter.Texts(sessions)
                )
            );
        return held;
    }
}
