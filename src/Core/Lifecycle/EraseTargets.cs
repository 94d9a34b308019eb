using System.Globalization;
using Archiver.Core.Ledger;
using Archiver.Core.Ownership;
using Archiver.Core.Postgres;
using Archiver.Core.Reconciliation;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Archiver.Core.Tombstones;
using Npgsql;

namespace Archiver.Core.Lifecycle;

/// <summary>Finds what an erasure is about: in the tables, in the ledger, and in objects of which the ledger knows little.</summary>
internal sealed class EraseTargets(NpgsqlConnection connection, SourceSettings source, SourceShape shape, DatabaseIdentity database, IArchiveReader store)
{
    private const string ArchivedOfUser = "SELECT DISTINCT a.session_id FROM archiver.archives AS a WHERE a.source = $1 AND a.user_id = $2 AND a.state <> 'erased'";

    // Objects of dead runs: no archive row says whose the sessions in them are.
    private const string Nameless = """
        SELECT o.key, o.version_id
        FROM archiver.objects AS o
        WHERE o.source = $1 AND o.location = $2 AND o.state IN ('pending', 'abandoned') AND o.reason IS DISTINCT FROM 'removed by reconcile'
          AND EXISTS (SELECT FROM unnest(o.members) AS m (id)
                      WHERE NOT EXISTS (SELECT FROM archiver.archives AS a WHERE a.object_id = o.id AND a.session_id = m.id COLLATE "C"))
        """;

    private const string Archived = """
        SELECT a.session_id, a.user_id, a.session_created_at, a.exported_at FROM archiver.archives AS a WHERE a.source = $1 AND a.state <> 'erased'
        """;

    private const string NamelessMembers = """
        SELECT m.id, o.created_at
        FROM archiver.objects AS o, unnest(o.members) AS m (id)
        WHERE o.source = $1 AND o.state <> 'erased' AND NOT EXISTS (SELECT FROM archiver.archives AS a WHERE a.object_id = o.id AND a.session_id = m.id COLLATE "C")
        """;

    /// <summary>Objects of ours that the ledger does not know, as after a restore of the database to an earlier time.</summary>
    public List<FoundObject> Unrecorded { get; } = [];

    /// <summary>Reads the bucket's listing for objects that the ledger does not know, and what is in them.</summary>
    public async Task ReadUnrecordedAsync(CancellationToken cancellationToken)
    {
        var comparison = new BucketComparison(connection, store, source);
        await comparison.CompareAsync(cancellationToken).ConfigureAwait(false);
        var examiner = new ObjectExaminer(store, source.Map);
        var owner = new ObjectOwner(store, database);
        var names = await FormerNames.LoadAsync(store, source, cancellationToken).ConfigureAwait(false);
        foreach (var key in comparison.Unrecorded)
        {
            if (await examiner.ExamineAsync(key, cancellationToken).ConfigureAwait(false) is { } found && found.LedgerId is { } ledger && database.LedgerIds.Contains(ledger) && owner.WhyForeign(found) is null && found.Documents.All(d => names.Contains(d.Header.Source.Name)))
                Unrecorded.Add(found);
        }
    }

    /// <summary>Every session of a user.</summary>
    public async Task<IReadOnlySet<string>> OfUserAsync(string user, CancellationToken cancellationToken)
    {
        SortedSet<string> found = new(StringComparer.Ordinal);
        if (source.Map.Session.User is { } column)
            found.UnionWith(await connection.QueryAsync(
                $"SELECT {Key}::text FROM {source.Map.Session.Table.Sql} AS s WHERE {SessionPath.Column("s", column)}::text = $1", row => row.GetString(0), cancellationToken, PgParameter.Text(user)).ConfigureAwait(false));
        found.UnionWith(await connection.QueryAsync(ArchivedOfUser, row => row.GetString(0), cancellationToken, PgParameter.Text(source.Name), PgParameter.Text(user)).ConfigureAwait(false));
        var nameless = await connection.QueryAsync(
            Nameless, row => new ObjectName(row.GetString(0), row.TextOrNull(1)), cancellationToken, PgParameter.Text(source.Name), PgParameter.Text(store.Location)).ConfigureAwait(false);
        var examiner = new ObjectExaminer(store, source.Map);
        foreach (var name in nameless)
        {
            if (await examiner.ExamineAsync(name, cancellationToken).ConfigureAwait(false) is { } read)
                found.UnionWith(read.Documents.Where(d => d.User == user).Select(d => d.SessionId));
        }
        found.UnionWith(Unrecorded.SelectMany(o => o.Documents).Where(d => d.User == user).Select(d => d.SessionId));
        return found;
    }

    /// <summary>Whether an object that the ledger does not know holds the session.</summary>
    public bool IsUnrecorded(string session) => Unrecorded.Any(o => o.Documents.Any(d => d.SessionId == session));

    /// <summary>
    /// What the tombstones cover and is here all the same. A session whose id a newer one bears now is left out, and named in the second set:
    /// its copies cannot be told from the newer one's by id.
    /// </summary>
    public async Task<(IReadOnlySet<string> Erased, IReadOnlySet<string> Reused)> OfTombstonesAsync(TombstoneSet tombstones, CancellationToken cancellationToken)
    {
        SortedSet<string> covered = new(StringComparer.Ordinal), newer = new(StringComparer.Ordinal);
        void Judge(string session, string? user, DateTimeOffset? created, DateTimeOffset? copied) =>
            (tombstones.Covers(session, user, created, copied) ? covered : newer).Add(session);
        var parameters = new SqlParameters();
        var table = source.Map.Session;
        string Text(string? column) => column is null ? "NULL::text" : $"{SessionPath.Column("s", column)}::text";
        var instant = table.Created is { } c ? InstantSql.Of(shape.Session[c], SessionPath.Column("s", c), source.TimeZone, parameters) : null;
        var created = instant is null ? "NULL::timestamptz" : $"CASE WHEN isfinite({instant}) THEN {instant} END";
        await EachAsync($"SELECT {Key}::text, {Text(table.User)}, {created}, NULL::timestamptz FROM {table.Table.Sql} AS s", parameters.ToArray()).ConfigureAwait(false);
        await EachAsync(Archived, [PgParameter.Text(source.Name)]).ConfigureAwait(false);
        foreach (var (session, at) in await connection.QueryAsync(
            NamelessMembers, row => (row.GetString(0), row.GetFieldValue<DateTimeOffset>(1)), cancellationToken, PgParameter.Text(source.Name)).ConfigureAwait(false))
        {
            // The copy was made before the erasure, so the session began before it.
            if (tombstones.Covers(session, null, at, null))
                covered.Add(session);
        }
        foreach (var document in Unrecorded.SelectMany(o => o.Documents))
            Judge(document.SessionId, document.User, null, CopiedAt(document));
        SortedSet<string> reused = [.. covered.Where(newer.Contains)];
        covered.ExceptWith(reused);
        return (covered, reused);

        async Task EachAsync(string sql, NpgsqlParameter[] values)
        {
            await using var command = connection.Command(sql, values);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                Judge(reader.GetString(0), reader.TextOrNull(1), Time(reader, 2), Time(reader, 3));
        }
    }

    /// <summary>When a document was written, or null where it does not say so.</summary>
    public static DateTimeOffset? CopiedAt(FoundDocument document) =>
        DateTimeOffset.TryParse(document.Header.ArchivedAt, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;

    private string Key => SessionPath.Column("s", source.Map.Session.Key);

    private static DateTimeOffset? Time(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);
}
