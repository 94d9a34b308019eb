using System.Collections.Concurrent;
using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Import;
using Archiver.Core.Ledger;
using Archiver.Core.Reading;
using Archiver.Core.Restore;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Spool;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Proofs;

/// <summary>
/// Reads archives back from the store, many at once, and compares them with the ledger: bytes, hash, format, session, number of rows. A
/// drill also rehearses the restore of some of them. What is not right is noted in the ledger until it is read again and right.
/// </summary>
internal sealed class ArchiveVerifier(ArchiverSettings settings, ConnectionCatalog connections, IArchiveReader store, TimeProvider time)
{
    /// <exception cref="ArchiverException">There is no such source, or no ledger.</exception>
    /// <exception cref="StorageException">The store does not answer or refuses; that says nothing about an archive.</exception>
    public async Task<VerifyReport> VerifyAsync(
        VerifyOptions options,
        IProgress<RunProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        var started = time.GetTimestamp();
        var source = settings.Find(options.Source);
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
        await Migrator.RequireCurrentAsync(connection, cancellationToken);
        await SourceRegistry.CheckAsync(connection, source, cancellationToken);

        var total = options.Range?.Count ?? await ReadableArchives.CountAsync(connection, source.Name, cancellationToken);
        total = Math.Min(total, options.Sample ?? long.MaxValue);
        progress?.Report(new(total, 0));
        var problems = new ConcurrentBag<(long Id, VerifyProblem Found)>();
        var right = new ConcurrentBag<RestoreCandidate>();
        var (done, bytes) = (0L, 0L);
        var rows = new ConcurrentDictionary<long, long>();
        void Refuse(RestoreCandidate candidate, ReadProblem problem, string detail)
        {
            problems.Add(
                (candidate.Archive!.Id, new(candidate.SessionId!, candidate.Archive.Generation, candidate.Object.Key, problem, detail))
            );
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
                await CheckAsync(candidate, rows[candidate.Archive!.Id], json, token);
                Interlocked.Add(ref bytes, candidate.Archive.JsonLength);
                right.Add(candidate);
                Count();
            },
            Refuse,
            settings.Storage.UploadConcurrency
        );
        await downloads.RunAsync(PagesAsync(connection, options, rows, cancellationToken), cancellationToken);

        var there = await ReadableArchives.StillThereAsync(connection, source.Name, problems.Select(p => p.Id), cancellationToken);
        var found = problems.Where(p => there.GetValueOrDefault(p.Id) == p.Found.ObjectKey).ToList();
        var vanished = problems.Count - found.Count;
        await DamageRecords.WriteAsync(connection, source.Name, Proof.Verify, right.Select(c => c.Archive!.Id), found, cancellationToken);

        var (readable, drilled, aside) = ((long)right.Count, 0L, 0L);
        if (options.RestoreDrill > 0)
        {
            var drill = new RestoreDrill(settings, connections[source.Name], store, time);
            var chosen = right.OrderBy(c => c.Archive!.Id).Take(options.RestoreDrill).ToList();
            var report = await drill.RunAsync(source, chosen, cancellationToken);
            (drilled, aside) = (report.Restored, drill.Aside);
            var archives = chosen.ToLookup(c => (c.SessionId, c.Object.Key), c => c.Archive!);
            List<(long Id, VerifyProblem Found)> refused = [];
            foreach (var refusal in report.Refused)
            {
                var archive = archives[(refusal.SessionId, refusal.ObjectKey!)].First();
                refused.Add(
                    (
                        archive.Id,
                        new(
                            refusal.SessionId!,
                            archive.Generation,
                            refusal.ObjectKey!,
                            ReadProblem.Refused,
                            $"restore drill: {refusal.Reason}"
                        )
                    )
                );
            }
            await DamageRecords.WriteAsync(
                connection,
                source.Name,
                Proof.RestoreDrill,
                chosen.Select(c => c.Archive!.Id).Except(refused.Select(r => r.Id)),
                refused,
                cancellationToken
            );
            found.AddRange(refused);
        }
        return new()
        {
            Checked = Interlocked.Read(ref done) - vanished,
            Right = readable,
            JsonBytes = Interlocked.Read(ref bytes),
            Problems = [.. found.Select(p => p.Found).OrderBy(p => p.SessionId, StringComparer.Ordinal).ThenBy(p => p.Generation)],
            Drilled = drilled,
            DrilledAside = aside,
            Elapsed = time.GetElapsedTime(started),
        };
    }

    private static async Task CheckAsync(RestoreCandidate candidate, long rows, Stream json, CancellationToken cancellationToken)
    {
        await using var hashing = new HashingStream(json);
        using var document = await SessionStager.OpenAsync(hashing, cancellationToken);
        var found = 0L;
        try
        {
            while (await document.ReadAsync(cancellationToken))
                found++;
        }
        catch (Exception exception) when (DocumentDamage.Is(exception))
        {
            throw DocumentDamage.Refusal(exception);
        }
        SessionStager.RequireArchived(candidate, hashing);
        if (found != rows)
            throw new RefusedSessionException($"the document has {Counted.Of(found, "row")}, the ledger {rows}", ReadProblem.Changed);
    }

    private static async IAsyncEnumerable<IReadOnlyList<RestoreCandidate>> PagesAsync(
        NpgsqlConnection connection,
        VerifyOptions options,
        ConcurrentDictionary<long, long> rows,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (var page in ReadableArchives.PagesAsync(connection, options, cancellationToken))
        {
            rows.Clear();
            foreach (var (archive, count) in page)
                rows[archive.Id] = count;
            yield return [.. page.Select(p => RestoreCandidate.Of(p.Archive))];
        }
    }
}
