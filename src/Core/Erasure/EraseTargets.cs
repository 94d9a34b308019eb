using Archiver.Core.Documents;
using Archiver.Core.Holds;
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
    private const string Nameless = $"""
        SELECT o.key, o.version_id, o.sha256
        FROM archiver.objects AS o
        WHERE o.source = $1 AND o.location = $2 AND o.state IN ('pending', 'abandoned') AND {RemovedObjects.IsNot}
          AND EXISTS (SELECT FROM unnest(o.members) AS m (id)
                      WHERE NOT EXISTS (SELECT FROM archiver.archives AS a WHERE a.object_id = o.id AND a.session_id = m.id COLLATE "C"))
        """;

    private const string Members = """
        SELECT m.id FROM archiver.objects AS o, unnest(o.members) AS m (id) WHERE o.source = $1 AND o.members && $2 AND m.id = ANY ($2)
        UNION
        SELECT a.session_id FROM archiver.archives AS a WHERE a.source = $1 AND a.session_id = ANY ($2) AND a.state <> 'erased'
        """;

    /// <summary>What may hold the user's sessions and could not be read or believed, in one sentence an object.</summary>
    public List<string> Unresolved { get; } = [];

    /// <summary>Whose archives are that the ledger did not know the users of.</summary>
    public IReadOnlyList<ArchiveOwner> Owners { get; private set; } = [];

    /// <summary>Sessions of which something is the user's, and which are another user's now.</summary>
    public IReadOnlySet<string> Others { get; private set; } = new HashSet<string>();

    /// <summary>Every session of which something is the user's.</summary>
    /// <param name="user">As the column writes it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<IReadOnlySet<string>> OfUserAsync(string user, CancellationToken cancellationToken)
    {
        SortedSet<string> found = new(StringComparer.Ordinal);
        var same = SameUser.Column(source.Map, shape);
        var present = new PresentOwners(connection, source, shape);
        found.UnionWith(await present.LiveAsync(user, cancellationToken));
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
        Unresolved.AddRange(owners.Unknown);
        var (members, doubtful) = await NamelessAsync(cancellationToken);
        var documents = Owners.Select(o => (o.Session, o.User)).Concat(members.Select(d => (Session: d.SessionId, d.User))).ToList();
        var copies = unrecorded.SelectMany(o => o.Documents.Select(d => (o.Key, Document: d))).ToList();
        var users = documents.Select(d => d.User).Concat(doubtful.Concat(copies).Select(d => d.Document.User));
        var theirs = await SameUser.AmongAsync(connection, same, user, users, cancellationToken);
        bool IsTheirs(string? name) => name is not null && theirs.Contains(name);
        found.UnionWith(documents.Where(d => IsTheirs(d.User)).Select(d => d.Session));
        Others = await present.OthersAsync(user, found, Owners, cancellationToken);
        foreach (var (key, _) in doubtful.Where(d => IsTheirs(d.Document.User)))
            Unresolved.Add($"'{key}', of a run that died, names the user and is not what the ledger recorded: it stays");
        // Anybody who can write to the bucket can write such a document: it costs nothing but itself.
        copies.RemoveAll(c => !IsTheirs(c.Document.User) || found.Contains(c.Document.SessionId));
        var known = await KnownAsync([.. copies.Select(c => c.Document.SessionId)], cancellationToken);
        foreach (var (key, document) in copies)
        {
            if (known.Contains(document.SessionId))
                Unresolved.Add(
                    $"'{key}', which the ledger does not know, says that session {document.SessionId} is the user's. Its rows and archives "
                        + "do not say so, and stay. If they are the user's, erase the session by id; else remove the object"
                );
            else
                found.Add(document.SessionId);
        }
        return found;
    }

    /// <summary>
    /// The documents of dead runs' objects, and apart from them those that are not what the ledger recorded: they say nothing of the
    /// sessions in them.
    /// </summary>
    private async Task<(List<FoundDocument> Members, List<(string Key, FoundDocument Document)> Doubtful)> NamelessAsync(
        CancellationToken cancellationToken
    )
    {
        var nameless = await connection.QueryAsync(
            Nameless,
            row => (Name: new ObjectName(row.GetString(0), row.TextOrNull(1)), Sha256: row.GetFieldValue<byte[]>(2)),
            cancellationToken,
            PgParameter.Text(source.Name),
            PgParameter.Text(store.Location)
        );
        var examiner = new ObjectExaminer(store, source);
        List<FoundDocument> members = [];
        List<(string, FoundDocument)> doubtful = [];
        foreach (var (name, sha256) in nameless)
        {
            if (await examiner.ExamineAsync(name, cancellationToken) is not { } read)
                continue;
            if (read.Problem is { } problem)
                Unresolved.Add($"'{name.Key}', of a run that died, cannot be read, so nobody can tell whose it is: {problem}");
            if (read.IsRecordedAs(sha256))
                members.AddRange(read.Documents);
            else
                doubtful.AddRange(read.Documents.Select(d => (name.Key, d)));
        }
        return (members, doubtful);
    }

    /// <summary>Which of these sessions the tables or the ledger have.</summary>
    private async Task<IReadOnlySet<string>> KnownAsync(string[] sessions, CancellationToken cancellationToken)
    {
        HashSet<string> known = [.. await new SessionIds(connection, source, shape).LiveAmongAsync(sessions, cancellationToken)];
        known.UnionWith(
            await connection.QueryAsync(
                Members,
                row => row.GetString(0),
                cancellationToken,
                PgParameter.Text(source.Name),
                PgParameter.Texts(sessions)
            )
        );
        return known;
    }

    /// <summary>Whether an object that the ledger does not know holds the session.</summary>
    public bool IsUnrecorded(string session) => unrecorded.Any(o => o.Documents.Any(d => d.SessionId == session));
}
