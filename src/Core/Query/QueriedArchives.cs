using System.Runtime.CompilerServices;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Reading;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Query;

/// <summary>
/// The archives of a source that a question is about, from the ledger: what was discarded or erased is not among them, and of each session
/// the newest alone unless all generations are wanted. They are chosen once: what was counted and noted in the audit is what is read.
/// </summary>
internal sealed class QueriedArchives
{
    private const int PageSize = 5000;

    // What was erased, discarded or moved since it was chosen is passed over.
    private const string StillReadable = $"""
        FROM archiver.archives AS a
        JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE a.id = ANY ($1) AND a.state IN {ArchiveStates.Readable} AND o.state = 'stored' AND o.removal_began_at IS NULL
        """;

    private const string Page = $"""
        SELECT a.id, a.session_id, a.generation, a.state, o.key, o.version_id, a.byte_offset, a.byte_length, a.json_length, a.json_sha256,
          a.user_id,
               a.session_created_at, a.exported_at, a.policy, a.external_id, a.session_last_activity, a.archived_at, a.message_count
        {StillReadable}
        ORDER BY a.object_id, a.byte_offset, a.id
        """;

    private readonly QueryChoice _choice;
    private long[] _ids = [];

    private QueriedArchives(QueryChoice choice) => _choice = choice;

    /// <exception cref="Diagnostics.ArchiverException">The user is no value of the source's user column; kind Configuration.</exception>
    public static async Task<QueriedArchives> PrepareAsync(
        NpgsqlConnection connection,
        SourceMap map,
        QueryFilter filter,
        CancellationToken cancellationToken
    ) => new(await QueryChoice.PrepareAsync(connection, map, filter, cancellationToken));

    /// <summary>
    /// Chooses them, once: what comes to the ledger after this is not read, and to choose again would cost the same again.
    /// </summary>
    /// <returns>How much there is to fetch.</returns>
    public async Task<QueryEstimate> ChooseAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var (objects, bytes, last) = (0L, 0L, -1L);
        // In the order of the objects, so that members of one bundle come together.
        _ids =
        [
            .. await connection.QueryAsync(
                $"SELECT a.id, a.object_id, a.byte_length {_choice.From} ORDER BY a.object_id, a.byte_offset, a.id",
                row =>
                {
                    objects += row.GetInt64(1) == last ? 0 : 1;
                    last = row.GetInt64(1);
                    bytes += row.GetInt64(2);
                    return row.GetInt64(0);
                },
                cancellationToken,
                _choice.Parameters()
            ),
        ];
        return new(_ids.Length, objects, bytes);
    }

    /// <summary>Notes in an entry of the audit which archives these are.</summary>
    public Task AuditAsync(NpgsqlConnection connection, AuditStamp entry, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(
            "UPDATE archiver.audit AS t SET archives = $1 WHERE t.id = $2",
            cancellationToken,
            PgParameter.Ranges(_ids),
            PgParameter.Bigint(entry.Id)
        );

    /// <summary>Page by page.</summary>
    public async IAsyncEnumerable<IReadOnlyList<QueriedArchive>> PagesAsync(
        SourceConnections source,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        foreach (var page in _ids.Chunk(PageSize))
        {
            await using var connection = await source.OpenAsync(cancellationToken);
            yield return await connection.QueryAsync(Page, Read, cancellationToken, PgParameter.Bigints(page));
        }
    }

    /// <summary>How many of them are there to be read now; others were discarded, erased or moved to another object meanwhile.</summary>
    public Task<long> StillThereAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        connection.ScalarAsync<long>($"SELECT count(*) {StillReadable}", cancellationToken, PgParameter.Bigints(_ids));

    private QueriedArchive Read(NpgsqlDataReader row) =>
        new(
            LocatedArchive.Read(_choice.Source, row) with
            {
                User = row.TextOrNull(10),
                Created = row.InstantOrNull(11),
                CopiedAt = row.GetFieldValue<DateTimeOffset>(12),
            }
        )
        {
            Policy = row.GetString(13),
            ExternalId = row.TextOrNull(14),
            LastActivity = row.InstantOrNull(15),
            ArchivedAt = row.InstantOrNull(16),
            Messages = row.GetInt64(17),
        };
}

/// <summary>What a question would fetch.</summary>
/// <param name="Archives">Archives whose documents are read.</param>
/// <param name="Objects">Objects that they lie in.</param>
/// <param name="Bytes">Compressed bytes of these documents.</param>
internal sealed record QueryEstimate(long Archives, long Objects, long Bytes)
{
    public static QueryEstimate operator +(QueryEstimate one, QueryEstimate other) =>
        new(one.Archives + other.Archives, one.Objects + other.Objects, one.Bytes + other.Bytes);
}
