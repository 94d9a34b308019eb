using System.Runtime.CompilerServices;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Reading;

/// <summary>Finds in the ledger what a restore asks for, in the order of the objects, so that members of one bundle come together.</summary>
internal sealed class CandidateFinder(SourceConnections connections)
{
    private const int PageSize = 5000;

    // Ids come twice: as keys, and as they were given. An id that is one session's key and another's external id means the first.
    // The newest archive that is in the store, or the one asked for. Bulk selections into the source itself take what is not in the
    // tables; ids and other targets take whatever can be read. Of parts all are taken whose messages are not in the tables.
    /// <param name="parts">Parts instead of whole sessions.</param>
    /// <param name="isThere">SQL of whether the session has a row; null where rows go elsewhere, and what is in the source says nothing.</param>
    /// <param name="replaces">Whether what is asked for takes the place of a live session.</param>
    private static string Page(bool parts, string? isThere, bool replaces) => $"""
        SELECT a.id, a.session_id, a.generation, a.state, o.key, o.version_id, a.byte_offset, a.byte_length, a.json_length, a.json_sha256, a.object_id, a.external_id, a.user_id, a.session_created_at, a.exported_at,
               {(parts && isThere is not null ? $"$8 AND NOT {isThere} AND NOT EXISTS ({OfSession("w", part: false)} AND w.state = 'archived')" : "false")}
        FROM archiver.archives AS a
        JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE a.source = $1 AND {(parts ? "a.part" : "NOT a.part")}
          AND ($2::text[] IS NULL OR a.session_id = ANY ($2)
               OR (a.external_id = ANY ($14) AND NOT EXISTS (
                 SELECT FROM archiver.archives AS k
                 WHERE k.source = a.source AND k.session_id = ($2::text[])[array_position($14::text[], a.external_id)] AND k.state NOT IN ('abandoned', 'discarded', 'erased'))))
          AND ($3::text[] IS NULL OR o.key = ANY ($3))
          AND ($4::text[] IS NULL OR a.user_id = ANY ($4))
          AND ($5::uuid IS NULL OR a.run_id = $5)
          AND ($6::timestamptz IS NULL OR a.session_last_activity >= $6)
          AND ($7::timestamptz IS NULL OR a.session_last_activity < $7)
          AND (a.state = 'archived' OR (NOT $8 AND a.state IN ('stored', 'restored', 'superseded', 'unknown')))
          AND CASE WHEN $9::int IS NOT NULL THEN a.generation = $9
                   WHEN $3::text[] IS NOT NULL THEN true
                   ELSE {(parts ? "a.state IN ('archived', 'unknown')" : Whole(replaces ? null : isThere))} END
          AND {(parts ? "(a.exported_at, a.id) < ($15::timestamptz, $12) AND $10::bigint IS NOT NULL AND $11::bigint IS NOT NULL" : "(a.object_id, a.byte_offset, a.id) > ($10, $11, $12) AND $15::timestamptz IS NOT NULL")}
        ORDER BY {(parts ? "a.exported_at DESC, a.id DESC" : "a.object_id, a.byte_offset, a.id")}
        LIMIT $13
        """;

    // One that is live because it was restored is not in question where older messages of it are to come back.
    private static string Whole(string? isThere) => $"""
        NOT EXISTS ({OfSession("n", part: false)} AND {ArchiveOrder.IsNewer("n", "a")} AND n.state IN ('archived', 'stored', 'restored', 'superseded', 'unknown'))
        {(isThere is null ? "" : $"AND NOT (a.state = 'restored' AND EXISTS ({OfSession("p", part: true)} AND p.state IN ('archived', 'unknown')) AND {isThere})")}
        """;

    private static string OfSession(string alias, bool part) =>
        $"SELECT FROM archiver.archives AS {alias} WHERE {alias}.source = a.source AND {alias}.session_id = a.session_id AND {(part ? "" : "NOT ")}{alias}.part";

    // So that a second restore by user, run or dates can say what is there already, and what the application has deleted since.
    private string Restored(SourceShape shape) => $"""
        SELECT a.session_id, {IsThere(shape)}
        FROM archiver.archives AS a
        WHERE a.source = $1 AND a.state = 'restored'
          AND ($2::text[] IS NULL OR a.user_id = ANY ($2))
          AND ($3::uuid IS NULL OR a.run_id = $3)
          AND ($4::timestamptz IS NULL OR a.session_last_activity >= $4)
          AND ($5::timestamptz IS NULL OR a.session_last_activity < $5)
          AND (a.part OR NOT EXISTS ({OfSession("n", part: false)} AND {ArchiveOrder.IsNewer("n", "a")} AND n.state IN ('archived', 'stored', 'restored', 'superseded', 'unknown')))
        """;

    private const string RestoredParts = """
        SELECT a.session_id, a.external_id FROM archiver.archives AS a
        WHERE a.source = $1 AND a.part AND a.state = 'restored' AND (a.session_id = ANY ($2) OR a.external_id = ANY ($3))
        """;

    private string IsThere(SourceShape shape) => $"EXISTS (SELECT FROM {connections.Map.Session.Sql} AS t WHERE {shape.KeyOf(connections.Map, "t")}::text = a.session_id)";

    /// <summary>Whether the ledger is there and knows the source; an empty one, as a migration leaves it, knows nothing.</summary>
    public async Task<bool> HasArchivesAsync(string source, CancellationToken cancellationToken)
    {
        await using var connection = await connections.OpenAsync(cancellationToken);
        return await Migrator.ExistsAsync(connection, cancellationToken)
            && await connection.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM archiver.archives AS a WHERE a.source = $1)", cancellationToken, PgParameter.Text(source));
    }

    /// <summary>How the source's keys are written.</summary>
    public async Task<SessionIdForm> FormAsync(CancellationToken cancellationToken)
    {
        await using var connection = await connections.OpenAsync(cancellationToken);
        return await SessionIdForm.ReadAsync(connection, connections.Map, cancellationToken);
    }

    /// <summary>Page by page; each with the ids under which it was found.</summary>
    /// <param name="options">What is asked for.</param>
    /// <param name="form">Of the source's keys.</param>
    /// <param name="parts">Parts, the newest first, instead of whole sessions.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async IAsyncEnumerable<IReadOnlyList<FoundArchive>> FindAsync(RestoreOptions options, SessionIdForm form, bool parts, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var onlyArchived = options.IntoSource && options.Ids.Count == 0 && options.ObjectKeys.Count == 0;
        var (afterObject, afterOffset, afterId, before) = (-1L, -1L, parts ? long.MaxValue : -1L, DateTimeOffset.MaxValue);
        (IReadOnlyCollection<string>? users, string? sql) = (null, null);
        while (true)
        {
            await using var connection = await connections.OpenAsync(cancellationToken);
            users ??= await UsersAsync(connection, options, cancellationToken);
            sql ??= Page(parts, options.IntoSource ? IsThere(await TableDescriber.DescribeAsync(connection, connections.Map, cancellationToken)) : null, options.OnConflict == ConflictMode.Replace);
            var page = await connection.QueryAsync(
                sql, row => Read(options.Source, row), cancellationToken,
                PgParameter.Text(options.Source), Texts([.. options.Ids.Select(form.KeyOf)]), Texts(options.ObjectKeys), PgParameter.TextsOrNull(users), Uuid(options.Run),
                PgParameter.InstantOrNull(options.From), PgParameter.InstantOrNull(options.To), PgParameter.Bool(onlyArchived), PgParameter.Int(options.Generation),
                PgParameter.Bigint(afterObject), PgParameter.Bigint(afterOffset), PgParameter.Bigint(afterId), PgParameter.Int(PageSize), Texts(options.Ids),
                PgParameter.Instant(before));
            if (page.Count > 0)
                yield return page;
            if (page.Count < PageSize)
                yield break;
            (afterObject, afterOffset, afterId, before) = (page[^1].ObjectId, page[^1].Archive.Offset, page[^1].Archive.Id, page[^1].Archive.CopiedAt!.Value);
        }
    }

    /// <summary>Sessions that a selection by user, run or dates names and that were restored before: how many are there, and which are gone since.</summary>
    public async Task<(long There, IReadOnlyList<string> Gone)> RestoredAsync(RestoreOptions options, CancellationToken cancellationToken)
    {
        await using var connection = await connections.OpenAsync(cancellationToken);
        var shape = await TableDescriber.DescribeAsync(connection, connections.Map, cancellationToken);
        var restored = await connection.QueryAsync(
            Restored(shape), row => (Session: row.GetString(0), IsThere: row.GetBoolean(1)), cancellationToken, PgParameter.Text(options.Source),
            PgParameter.TextsOrNull(await UsersAsync(connection, options, cancellationToken)), Uuid(options.Run),
            PgParameter.InstantOrNull(options.From), PgParameter.InstantOrNull(options.To));
        return (restored.Count(r => r.IsThere), [.. restored.Where(r => !r.IsThere).Select(r => r.Session).Distinct()]);
    }

    /// <summary>Of sessions that were named, the parts that were restored before; each by key and external id.</summary>
    public async Task<IReadOnlyList<(string Session, string? ExternalId)>> RestoredPartsAsync(string source, IEnumerable<string> keys, IEnumerable<string> ids, CancellationToken cancellationToken)
    {
        await using var connection = await connections.OpenAsync(cancellationToken);
        return await connection.QueryAsync(
            RestoredParts, row => (row.GetString(0), row.TextOrNull(1)), cancellationToken, PgParameter.Text(source), PgParameter.Texts(keys), PgParameter.Texts(ids));
    }

    private Task<IReadOnlyCollection<string>?> UsersAsync(NpgsqlConnection connection, RestoreOptions options, CancellationToken cancellationToken) =>
        SameUser.InLedgerAsync(connection, options.Source, connections.Map, options.User, cancellationToken);

    private static FoundArchive Read(string source, NpgsqlDataReader row) => new(
        new LocatedArchive(
            row.GetInt64(0), source, row.GetString(1), row.GetInt32(2), row.GetString(3), new ObjectName(row.GetString(4), row.TextOrNull(5)),
            row.GetInt64(6), row.GetInt64(7), row.GetInt64(8), row.GetFieldValue<byte[]>(9))
        {
            User = row.TextOrNull(12),
            Created = row.InstantOrNull(13),
            CopiedAt = row.GetFieldValue<DateTimeOffset>(14),
        },
        row.GetInt64(10), row.TextOrNull(11), row.GetBoolean(15));

    private static NpgsqlParameter Texts(IReadOnlyList<string> values) =>
        values.Count > 0 ? PgParameter.Texts(values) : new() { Value = DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Text };

    private static NpgsqlParameter Uuid(Guid? value) => new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid };
}

/// <summary>An archive that a restore asks for.</summary>
/// <param name="Archive">The archive.</param>
/// <param name="ObjectId">Its object.</param>
/// <param name="ExternalId">The session's other id.</param>
/// <param name="WithoutSession">A part of a session that is neither in the tables nor in the archive, and that nobody named.</param>
internal sealed record FoundArchive(LocatedArchive Archive, long ObjectId, string? ExternalId, bool WithoutSession);
