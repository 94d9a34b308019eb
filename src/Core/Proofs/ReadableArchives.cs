using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Reading;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Proofs;

/// <summary>The archives of a source whose documents must be readable, and which of them to read.</summary>
internal static class ReadableArchives
{
    private const string From = $"""
        FROM archiver.archives AS a
        JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE a.source = $1 AND o.state = 'stored' AND a.state IN {ArchiveStates.Readable}
        """;

    private const string Chosen = $"""
        SELECT a.id, a.session_id, a.generation, a.state, o.key, o.version_id, a.byte_offset, a.byte_length, a.json_length, a.json_sha256,
          a.row_count, a.object_id
        {From}
          AND ($2::int IS NULL OR a.id IN (
            SELECT c.id FROM archiver.archives AS c WHERE c.source = $1 AND c.state IN {ArchiveStates.Readable} ORDER BY random() LIMIT $2))
          AND ($7::bigint IS NULL OR (a.id > $7 AND a.id <= $8) OR a.id = ANY ($9))
          AND (a.object_id, a.byte_offset, a.id) > ($3, $4, $5)
        ORDER BY a.object_id, a.byte_offset, a.id
        LIMIT $6
        """;

    private const string CountAll = $"SELECT count(*) {From}";

    // One more than asked for tells whether the walk ends here.
    private const string Next = $"""
        SELECT count(*), coalesce(max(n.id) FILTER (WHERE n.place <= $3), $2)
        FROM (SELECT a.id, row_number() OVER (ORDER BY a.id) AS place {From} AND a.id > $2 ORDER BY a.id LIMIT $3 + 1) AS n
        """;

    private const string StillThere = $"SELECT a.id, o.key {From} AND a.id = ANY ($2) AND o.removal_began_at IS NULL";

    private const int PageSize = 5000;

    public static Task<long> CountAsync(NpgsqlConnection connection, string source, CancellationToken cancellationToken) =>
        connection.ScalarAsync<long>(CountAll, cancellationToken, PgParameter.Text(source));

    /// <summary>The next part of a walk over all archives, in the order of their ids.</summary>
    /// <returns>How many there are in it, the id of the last of them, and whether none comes after it.</returns>
    public static async Task<(long Count, long Through, bool IsLast)> NextAsync(
        NpgsqlConnection connection,
        string source,
        long after,
        long most,
        CancellationToken cancellationToken
    )
    {
        var (count, through) = (
            await connection.QueryAsync(
                Next,
                row => (row.GetInt64(0), row.GetInt64(1)),
                cancellationToken,
                PgParameter.Text(source),
                PgParameter.Bigint(after),
                PgParameter.Bigint(most)
            )
        )[0];
        return (Math.Min(count, most), through, count <= most);
    }

    /// <summary>
    /// Of these archives those that are to be readable now, each with the key of its object: others were discarded, erased or rewritten
    /// meanwhile.
    /// </summary>
    public static async Task<IReadOnlyDictionary<long, string>> StillThereAsync(
        NpgsqlConnection connection,
        string source,
        IEnumerable<long> ids,
        CancellationToken cancellationToken
    ) =>
        (
            await connection.QueryAsync(
                StillThere,
                row => (Id: row.GetInt64(0), Key: row.GetString(1)),
                cancellationToken,
                PgParameter.Text(source),
                PgParameter.Bigints(ids)
            )
        ).ToDictionary(a => a.Id, a => a.Key);

    /// <summary>
    /// The archives to read, page by page, each with its number of rows; members of one object that lie beside each other follow each
    /// other.
    /// </summary>
    public static async IAsyncEnumerable<IReadOnlyList<(LocatedArchive Archive, long Rows)>> PagesAsync(
        NpgsqlConnection connection,
        VerifyOptions options,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        // A sample is drawn once, so it is one page; all archives come page by page.
        var size = options.Sample ?? PageSize;
        var (afterObject, afterOffset, afterId) = (-1L, -1L, -1L);
        while (true)
        {
            var page = await connection.QueryAsync(
                Chosen,
                row => (Archive: LocatedArchive.Read(options.Source, row), Rows: row.GetInt64(10), Object: row.GetInt64(11)),
                cancellationToken,
                PgParameter.Text(options.Source),
                PgParameter.Int(options.Sample),
                PgParameter.Bigint(afterObject),
                PgParameter.Bigint(afterOffset),
                PgParameter.Bigint(afterId),
                PgParameter.Int(size),
                PgParameter.Bigint(options.Range?.After),
                PgParameter.Bigint(options.Range?.Through),
                PgParameter.Bigints(options.Range?.Also ?? [])
            );
            yield return [.. page.Select(p => (p.Archive, p.Rows))];
            if (options.Sample is not null || page.Count < size)
                yield break;
            (afterObject, afterOffset, afterId) = (page[^1].Object, page[^1].Archive.Offset, page[^1].Archive.Id);
        }
    }
}
