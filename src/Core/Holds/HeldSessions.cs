using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Holds;

/// <summary>
/// Which sessions a hold covers, by any trace of them: the live row, any archive, or the bare id. One trace that is held holds the whole
/// session: an archive may be older than the hold's range, or without the user whom the row has now.
/// </summary>
internal static class HeldSessions
{
    /// <summary>SQL that is true for a session that is held. It costs little where its source has no hold.</summary>
    /// <param name="source">The source.</param>
    /// <param name="shape">Its tables; without the session's own, only the ledger can tell.</param>
    /// <param name="name">Placeholder of the source's name.</param>
    /// <param name="id">SQL of the session's id, a text.</param>
    /// <param name="parameters">The statement's.</param>
    public static string Condition(SourceSettings source, SourceShape shape, string name, string id, SqlParameters parameters)
    {
        var holds = $"SELECT FROM archiver.holds AS h WHERE h.source = {name} AND h.removed_at IS NULL";
        var archives =
            $"SELECT FROM archiver.archives AS a WHERE a.source = {name} AND a.session_id = ({id}) COLLATE \"C\" AND a.state <> 'erased'";
        var (live, isLive) = Live(source, shape, name, id, parameters);
        // Each trace is looked for by the session's id: OFFSET 0 keeps the server from judging all archives or rows instead.
        return $"""
            (EXISTS ({holds}) AND (
              EXISTS ({holds} AND h.session_id = ({id}) COLLATE "C")
              OR EXISTS ({archives} AND NOT {HoldCondition.ArchiveNotHeld("a", SameUser.Column(source.Map, shape))} OFFSET 0)
              OR {live}
              OR (NOT EXISTS ({archives} OFFSET 0) AND NOT {isLive} AND NOT {HoldCondition.IdNotHeld(name, id)})))
            """;
    }

    public static async Task<IReadOnlySet<string>> FindAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        SourceShape shape,
        IReadOnlyCollection<string> sessions,
        CancellationToken cancellationToken
    )
    {
        if (sessions.Count == 0)
            return new HashSet<string>();
        var parameters = new SqlParameters();
        var (name, ids) = (parameters.Add(PgParameter.Text(source.Name)), parameters.Add(PgParameter.Texts(sessions)));
        var sql = $"SELECT k.id FROM unnest({ids}) AS k (id) WHERE {Condition(source, shape, name, "k.id", parameters)}";
        var held = await connection.QueryAsync(sql, row => row.GetString(0), cancellationToken, parameters.ToArray());
        return held.ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>Whether it is live and held, and whether it is live; its row is the one of the ledger's id.</summary>
    private static (string Held, string Live) Live(
        SourceSettings source,
        SourceShape shape,
        string name,
        string id,
        SqlParameters parameters
    )
    {
        if (!shape.Tables.Any(t => t.Name == SourceMap.SessionName))
            return ("false", "false");
        var form = KeyForm.Of(source.Map, shape);
        var key = form.Of("s");
        var row = $"SELECT FROM {source.Map.Session.Sql} AS s WHERE {key.Is(form.Known(id))}";
        var held = $"EXISTS ({row} AND NOT {HoldCondition.NotHeld(source, shape, key, name, parameters)} OFFSET 0)";
        return (held, $"EXISTS ({row} OFFSET 0)");
    }
}
