using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Erasure;

/// <summary>
/// Whose sessions are now. An application gives a session to another user, as when an account takes over a guest's; its older archives name
/// the former one. The session's row says whose it is; where the row is gone or names nobody, the newest archive that names somebody.
/// </summary>
internal sealed class PresentOwners(NpgsqlConnection connection, SourceSettings source, SourceShape shape)
{
    private static readonly string Archived = $"""
        SELECT a.session_id, a.object_id, a.user_id
        FROM archiver.archives AS a
        WHERE a.source = $1 AND a.session_id = ANY ($2) AND a.state <> 'erased'
        ORDER BY a.session_id, {ArchiveOrder.NewestFirst("a")}
        """;

    private readonly ColumnShape? _column = SameUser.Column(source.Map, shape);

    /// <summary>Sessions whose row names the user.</summary>
    public async Task<IReadOnlyList<string>> LiveAsync(string user, CancellationToken cancellationToken) =>
        source.Map.Session.User is null
            ? []
            : await connection.QueryAsync(
                $"SELECT {shape.KeyOf(source.Map, "s")}::text FROM {source.Map.Session.Sql} AS s WHERE {IsUser("$1")}",
                row => row.GetString(0),
                cancellationToken,
                PgParameter.Text(user)
            );

    /// <summary>Which of these sessions are another user's.</summary>
    /// <param name="user">As the column writes it.</param>
    /// <param name="sessions">Sessions of which some trace is the user's.</param>
    /// <param name="learned">What documents said of archives whose users the ledger does not know.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<IReadOnlySet<string>> OthersAsync(
        string user,
        IReadOnlyCollection<string> sessions,
        IReadOnlyList<ArchiveOwner> learned,
        CancellationToken cancellationToken
    )
    {
        var live = await OfRowsAsync(user, sessions, cancellationToken);
        var archived = await OfArchivesAsync([.. sessions.Where(s => !live.ContainsKey(s))], learned, cancellationToken);
        var theirs = await SameUser.AmongAsync(connection, _column, user, archived.Values, cancellationToken);
        return live.Where(l => !l.Value)
            .Select(l => l.Key)
            .Concat(archived.Where(a => !theirs.Contains(a.Value)).Select(a => a.Key))
            .ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>Whether the row is the user's, of sessions whose row names somebody.</summary>
    private async Task<Dictionary<string, bool>> OfRowsAsync(
        string user,
        IReadOnlyCollection<string> sessions,
        CancellationToken cancellationToken
    )
    {
        if (source.Map.Session.User is null || sessions.Count == 0)
            return [];
        var form = KeyForm.Of(source.Map, shape);
        var rows = await connection.QueryAsync(
            $"""
            SELECT k.id, bool_or({IsUser("$2")})
            FROM unnest($1) AS k (id)
            JOIN {source.Map.Session.Sql} AS s ON {form.Of("s").Is(form.Known("k.id"))}
            GROUP BY k.id
            HAVING bool_or({IsUser("$2")}) IS NOT NULL
            """,
            row => (Session: row.GetString(0), IsTheirs: row.GetBoolean(1)),
            cancellationToken,
            PgParameter.Texts(sessions),
            PgParameter.Text(user)
        );
        return rows.ToDictionary(r => r.Session, r => r.IsTheirs, StringComparer.Ordinal);
    }

    /// <summary>The user of the newest archive that has one.</summary>
    private async Task<Dictionary<string, string>> OfArchivesAsync(
        IReadOnlyCollection<string> sessions,
        IReadOnlyList<ArchiveOwner> learned,
        CancellationToken cancellationToken
    )
    {
        var said = learned.ToLookup(o => (o.ObjectId, o.Session));
        Dictionary<string, string> newest = new(StringComparer.Ordinal);
        foreach (
            var (session, id, noted) in await connection.QueryAsync(
                Archived,
                row => (row.GetString(0), row.GetInt64(1), row.TextOrNull(2)),
                cancellationToken,
                PgParameter.Text(source.Name),
                PgParameter.Texts(sessions)
            )
        )
        {
            // What the ledger has may be of another column than the one that is mapped now.
            if ((said[(id, session)].FirstOrDefault() is { } owner ? owner.User : noted) is { } user)
                newest.TryAdd(session, user);
        }
        return newest;
    }

    /// <summary>SQL of whether the row is of a user; NULL where it names nobody.</summary>
    private string IsUser(string user)
    {
        var column = source.Map.Session.User!;
        var (name, type) = (SessionPath.Column("s", column), shape.Session[column].CastType);
        return $"({name} = {user}::{type} OR {SameUser.Written(_column, $"{name}::text")} = {SameUser.Form(_column, user)})";
    }
}
