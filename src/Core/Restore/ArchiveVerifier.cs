using System.Collections.Concurrent;
using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Ownership;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Restore;

/// <summary>
/// Reads archives back from the store, many at once, and compares them with the ledger: bytes, hash, format, session, number of rows. A drill
/// also rehearses the restore of some of them.
/// </summary>
internal sealed class ArchiveVerifier(ArchiverSettings settings, ConnectionCatalog connections, IArchiveReader store, TimeProvider time)
{
    private const string Chosen = """
        SELECT a.id, a.session_id, a.generation, a.state, o.key, o.version_id, a.byte_offset, a.byte_length, a.json_length, a.json_sha256, a.row_count, a.object_id
        FROM archiver.archives AS a
        JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE a.source = $1 AND o.state = 'stored' AND a.state IN ('stored', 'archived', 'restored', 'superseded', 'unknown')
          AND ($2::int IS NULL OR a.id IN (
            SELECT c.id FROM archiver.archives AS c
            WHERE c.source = $1 AND c.state IN ('stored', 'archived', 'restored', 'superseded', 'unknown')
            ORDER BY random() LIMIT $2))
          AND (a.object_id, a.byte_offset, a.id) > ($3, $4, $5)
        ORDER BY a.object_id, a.byte_offset, a.id
        LIMIT $6
        """;

    private const string CountAll = """
        SELECT count(*)
        FROM archiver.archives AS a
        JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE a.source = $1 AND o.state = 'stored' AND a.state IN ('stored', 'archived', 'restored', 'superseded', 'unknown')
        """;

    /// <exception cref="ArchiverException">There is no such source, or no ledger.</exception>
    /// <exception cref="StorageException">The store does not answer or refuses; that says nothing about an archive.</exception>
    public async Task<VerifyReport> VerifyAsync(VerifyOptions options, IProgress<RunProgress>? progress, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var source = settings.Sources.FirstOrDefault(s => s.Name == options.Source)
            ?? throw new ArchiverException(FailureKind.Configuration, $"There is no source '{options.Source}'.");
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken).ConfigureAwait(false);
        await Migrator.RequireCurrentAsync(connection, cancellationToken).ConfigureAwait(false);
        await SourceRegistry.CheckAsync(connection, source, cancellationToken).ConfigureAwait(false);

        var total = await connection.ScalarAsync<long>(CountAll, cancellationToken, PgParameter.Text(source.Name)).ConfigureAwait(false);
        total = Math.Min(total, options.Sample ?? long.MaxValue);
        progress?.Report(new(total, 0));
        var problems = new ConcurrentBag<VerifyProblem>();
        var right = new ConcurrentBag<RestoreCandidate>();
        var (done, bytes) = (0L, 0L);
        var rows = new ConcurrentDictionary<long, long>();
        void Refuse(RestoreCandidate candidate, ReadProblem problem, string detail)
        {
            problems.Add(new(candidate.SessionId!, candidate.Archive!.Generation, candidate.Object.Key, problem, detail));
            Count();
        }
        void Count()
        {
            var count = Interlocked.Increment(ref done);
            progress?.Report(new(total, count));
        }
        var downloads = new SessionDownloads(
            store,
            async (candidate, json, token) =>
            {
                await CheckAsync(candidate, rows[candidate.Archive!.Id], json, token).ConfigureAwait(false);
                Interlocked.Add(ref bytes, candidate.Archive.JsonLength);
                right.Add(candidate);
                Count();
            },
            Refuse, settings.Storage.UploadConcurrency);
        await downloads.RunAsync(PagesAsync(connection, options, rows, cancellationToken), cancellationToken).ConfigureAwait(false);

        var (readable, drilled, aside) = ((long)right.Count, 0L, 0L);
        if (options.RestoreDrill > 0)
        {
            var drill = new RestoreDrill(settings, connections[source.Name], store, time);
            var report = await drill.RunAsync(source, [.. right.OrderBy(c => c.Archive!.Id).Take(options.RestoreDrill)], cancellationToken).ConfigureAwait(false);
            (drilled, aside) = (report.Restored, drill.Aside);
            var generations = right.ToLookup(c => c.SessionId, c => c.Archive!.Generation);
            foreach (var refusal in report.Refused)
                problems.Add(new(refusal.SessionId!, generations[refusal.SessionId].First(), refusal.ObjectKey!, ReadProblem.Refused, $"restore drill: {refusal.Reason}"));
        }
        return new()
        {
            Checked = Interlocked.Read(ref done),
            Right = readable,
            JsonBytes = Interlocked.Read(ref bytes),
            Problems = [.. problems.OrderBy(p => p.SessionId, StringComparer.Ordinal).ThenBy(p => p.Generation)],
            Drilled = drilled,
            DrilledAside = aside,
            Elapsed = time.GetElapsedTime(started),
        };
    }

    private static async Task CheckAsync(RestoreCandidate candidate, long rows, Stream json, CancellationToken cancellationToken)
    {
        await using var hashing = new HashingStream(json);
        using var document = await SessionStager.OpenAsync(hashing, cancellationToken).ConfigureAwait(false);
        var found = 0L;
        try
        {
            while (await document.ReadAsync(cancellationToken).ConfigureAwait(false))
                found++;
        }
        catch (Exception exception) when (SessionStager.IsDamage(exception))
        {
            throw SessionStager.Damaged(exception);
        }
        SessionStager.RequireArchived(candidate, hashing);
        if (found != rows)
            throw new RefusedSessionException($"the document has {found} rows, the ledger {rows}", ReadProblem.Changed);
    }

    private static async IAsyncEnumerable<IReadOnlyList<RestoreCandidate>> PagesAsync(
        NpgsqlConnection connection, VerifyOptions options, ConcurrentDictionary<long, long> rows,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // A sample is drawn once, so it is one page; all archives come page by page.
        var size = options.Sample ?? 5000;
        var (afterObject, afterOffset, afterId) = (-1L, -1L, -1L);
        while (true)
        {
            rows.Clear();
            var page = await connection.QueryAsync(
                Chosen, row => (Archive: Read(options.Source, row), Rows: row.GetInt64(10), Object: row.GetInt64(11)), cancellationToken,
                PgParameter.Text(options.Source), PgParameter.Int(options.Sample), PgParameter.Bigint(afterObject), PgParameter.Bigint(afterOffset), PgParameter.Bigint(afterId), PgParameter.Int(size)).ConfigureAwait(false);
            foreach (var (archive, count, _) in page)
                rows[archive.Id] = count;
            yield return [.. page.Select(p => RestoreCandidate.Of(p.Archive))];
            if (options.Sample is not null || page.Count < size)
                yield break;
            (afterObject, afterOffset, afterId) = (page[^1].Object, page[^1].Archive.Offset, page[^1].Archive.Id);
        }
    }

    private static LocatedArchive Read(string source, NpgsqlDataReader row) => new(
        row.GetInt64(0), source, row.GetString(1), row.GetInt32(2), row.GetString(3), new ObjectName(row.GetString(4), row.TextOrNull(5)),
        row.GetInt64(6), row.GetInt64(7), row.GetInt64(8), row.GetFieldValue<byte[]>(9));
}
