using Archiver.Core.Documents;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Erasure;

/// <summary>Finds what an erasure is about: in the tables, in the ledger, and in objects of which the ledger knows little.</summary>
internal sealed class EraseTargets(
    NpgsqlConnection connection,
    SourceSettings source,
    SourceShape shape,
    IArchiveReader store,
    IReadOnlyList<FoundObject> unrecorded
)
{
    private static string ArchivedOfUser(ColumnShape? user) =>
        $"SELECT DISTINCT a.session_id FROM archiver.archives AS a WHERE a.source = $1 AND {SameUser.Form(user, "a.user_id")} = "
        + $"{SameUser.Form(user, "$2")} AND a.state <> 'erased'";

    // Objects of dead runs: no archive row says whose the sessions in them are.
    private const string Nameless = """
        SELECT o.key, o.version_id
        FROM archiver.objects AS o
        WHERE o.source = $1 AND o.location = $2 AND o.state IN ('pending', 'abandoned') AND o.reason IS DISTINCT FROM 'removed by reconcile'
          AND EXISTS (SELECT FROM unnest(o.members) AS m (id)
                      WHERE NOT EXISTS (SELECT FROM archiver.archives AS a WHERE a.object_id = o.id AND a.session_id = m.id COLLATE "C"))
        """;

    /// <summary>What could not be read and may hold the user's sessions.</summary>
    public List<string> Unreadable { get; } = [];

    /// <summary>Whose archives are that the ledger did not know the users of.</summary>
    public IReadOnlyList<ArchiveOwner> Owners { get; private set; } = [];

    /// <summary>Every session of a user.</summary>
    /// <param name="user">As the column writes it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<IReadOnlySet<string>> OfUserAsync(string user, CancellationToken cancellationToken)
    {
        SortedSet<string> found = new(StringComparer.Ordinal);
        var same = SameUser.Column(source.Map, shape);
        if (source.Map.Session.User is { } column)
        {
            var (name, type) = (SessionPath.Column("s", column), shape.Session[column].CastType);
            found.UnionWith(
                await connection.QueryAsync(
                    $"SELECT {Key}::text FROM {source.Map.Session.Sql} AS s WHERE {name} = $1::{type} OR "
                        + $"{SameUser.Written(same, $"{name}::text")} = {SameUser.Form(same, "$1")}",
                    row => row.GetString(0),
                    cancellationToken,
                    PgParameter.Text(user)
                )
            );
        }
        found.UnionWith(
            await connection.QueryAsync(
                ArchivedOfUser(same),
                row => row.GetString(0),
                cancellationToken,
                PgParameter.Text(source.Name),
                PgParameter.Text(user)
            )
        );
        var owners = new UnknownOwners(connection, source, store);
        await owners.ReadAsync(cancellationToken);
        Owners = owners.Owners;
        Unreadable.AddRange(owners.Unknown);
        var nameless = await connection.QueryAsync(
            Nameless,
            row => new ObjectName(row.GetString(0), row.TextOrNull(1)),
            cancellationToken,
            PgParameter.Text(source.Name),
            PgParameter.Text(store.Location)
        );
        var examiner = new ObjectExaminer(store, source.Map);
        List<(string Session, string? User)> documents =
        [
            .. Owners.Select(o => (o.Session, o.User)),
            .. unrecorded.SelectMany(o => o.Documents).Select(d => (d.SessionId, d.User)),
        ];
        foreach (var name in nameless)
        {
            if (await examiner.ExamineAsync(name, cancellationToken) is not { } read)
                continue;
            if (read.Problem is { } problem)
                Unreadable.Add($"'{name.Key}', of a run that died, cannot be read, so nobody can tell whose it is: {problem}");
            documents.AddRange(read.Documents.Select(d => (d.SessionId, d.User)));
        }
        var theirs = await SameUser.AmongAsync(connection, same, user, documents.Select(d => d.User), cancellationToken);
        found.UnionWith(documents.Where(d => d.User is { } u && theirs.Contains(u)).Select(d => d.Session));
        return found;
    }

    /// <summary>Whether an object that the ledger does not know holds the session.</summary>
    public bool IsUnrecorded(string session) => unrecorded.Any(o => o.Documents.Any(d => d.SessionId == session));

    private SessionKey Key => shape.KeyOf(source.Map, "s");
}
