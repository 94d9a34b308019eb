using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Erasure;

/// <summary>
/// Archives of which the ledger does not know whose they are: written before users were mapped, or from another column. Their documents
/// hold the whole session row, so they are asked; what they say is learned, so that it is read once.
/// </summary>
internal sealed class UnknownOwners(NpgsqlConnection connection, SourceSettings source, IArchiveReader store)
{
    private static readonly string Objects = $"""
        SELECT DISTINCT o.id, o.key, o.version_id, o.location, o.sha256
        FROM archiver.archives AS a
        JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE a.source = $1 AND a.state NOT IN ('discarded', 'erased') AND o.state NOT IN ('discarded', 'erased') AND {RemovedObjects.IsNot}
          AND ({HoldCondition.OwnerUnknown("a")} OR a.user_column <> $2)
        ORDER BY o.id
        """;

    // An object has a session once. The ledger may have another number for it than the document says, since a rebuild.
    private const string Learn = """
        UPDATE archiver.archives AS a SET user_id = n.user_id, user_column = $2
        FROM unnest($3, $4, $5) AS n (object_id, session_id, user_id)
        WHERE a.source = $1 AND a.object_id = n.object_id AND a.session_id = n.session_id AND a.state <> 'erased'
        """;

    /// <summary>Whose the archives are, by their documents.</summary>
    public List<ArchiveOwner> Owners { get; } = [];

    /// <summary>What no document could say, in one sentence an object.</summary>
    public List<string> Unknown { get; } = [];

    /// <summary>Reads the documents; changes nothing.</summary>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task ReadAsync(CancellationToken cancellationToken)
    {
        if (source.Map.Session.User is not { } column)
            return;
        var objects = await connection.QueryAsync(
            Objects,
            row =>
                (
                    Id: row.GetInt64(0),
                    Name: new ObjectName(row.GetString(1), row.TextOrNull(2)),
                    Location: row.GetString(3),
                    Sha256: row.GetFieldValue<byte[]>(4)
                ),
            cancellationToken,
            PgParameter.Text(source.Name),
            PgParameter.Text(column)
        );
        var examiner = new ObjectExaminer(store, source);
        foreach (var (id, name, location, sha256) in objects)
        {
            if (location != store.Location)
                Unknown.Add($"'{name.Key}' is in {location}, and the configured store is {store.Location}: nobody can tell whose it is");
            else if (await examiner.ExamineAsync(name, cancellationToken) is not { } found)
                Unknown.Add($"'{name.Key}' is missing, and the ledger does not know whose it is");
            else if (found.Problem is { } problem)
                Unknown.Add($"'{name.Key}' cannot be read, and the ledger does not know whose it is: {problem}");
            else if (!found.IsRecordedAs(sha256))
                Unknown.Add($"'{name.Key}' is not what the ledger recorded, and the ledger does not know whose that is");
            else if (found.Documents.Any(d => !d.Header.Tables[0].Columns.Any(c => c.Name == column)))
                Unknown.Add($"'{name.Key}' was written before there was a column '{column}': nobody can tell whose it is");
            else
                Owners.AddRange(found.Documents.Select(d => new ArchiveOwner(id, d.SessionId, d.User)));
        }
    }

    /// <summary>Notes in the ledger what the documents said.</summary>
    public static Task<int> LearnAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        IReadOnlyList<ArchiveOwner> owners,
        CancellationToken cancellationToken
    ) =>
        connection.ExecuteAsync(
            Learn,
            cancellationToken,
            PgParameter.Text(source.Name),
            PgParameter.Text(source.Map.Session.User),
            PgParameter.Bigints(owners.Select(o => o.ObjectId)),
            PgParameter.Texts(owners.Select(o => o.Session)),
            PgParameter.Texts(owners.Select(o => o.User))
        );
}

/// <summary>Whose an archive is; null is nobody's.</summary>
internal sealed record ArchiveOwner(long ObjectId, string Session, string? User);
