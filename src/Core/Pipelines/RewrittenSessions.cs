using System.IO.Compression;
using Archiver.Core.Deletion;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Archiver.Core.Verification;

namespace Archiver.Core.Pipelines;

/// <summary>
/// Tells stored sessions that have changed from those whose tables were merely rewritten: <c>VACUUM FULL</c>, <c>pg_repack</c> and a
/// restored dump give every row another physical name and the same content. What the object holds is compared with a new export, and the
/// marked row with the hash that the mark noted of it; only then the ledger takes the new names, and nothing is stored again.
/// </summary>
internal sealed class RewrittenSessions(
    RunContext run,
    ArchiverSettings settings,
    IArchiveReader store,
    DatabaseRetry retry,
    TimeProvider time
)
{
    private const string Rename = """
        UPDATE archiver.archives AS a
        SET fingerprints = n.fingerprints::jsonb
        FROM unnest($1, $2) AS n (id, fingerprints)
        WHERE a.id = n.id AND a.state = 'stored'
        """;

    private readonly BatchExporter _exporter = new(
        run,
        CompressionLevel.Fastest,
        new ExportServer(run, settings.Retry.Budget, time),
        stored: true,
        toDelete: false
    );

    /// <summary>
    /// Those of the archives whose sessions really are not what is stored; the others have their new names in the ledger.
    /// </summary>
    public async Task<IReadOnlyList<StoredArchive>> ExceptAsync(IReadOnlyList<StoredArchive> changed, CancellationToken cancellationToken)
    {
        var archives = (
            await retry.ExecuteAsync(token => DelayedDeleteSelector.ReadAsync(run, changed.Select(a => a.Id), token), cancellationToken)
        ).ToDictionary(a => a.Key, StringComparer.Ordinal);
        HashSet<long> same = [];
        var keys = KeyForm.Of(run.Source.Map, run.Shape).Possible(archives.Keys);
        var sessions = new Queue<SelectedSession>(keys.Select(k => archives[k].Session));
        while (SelectedBatch.Take(sessions, run.Batch) is { } batch)
            same.UnionWith(await SameAsync(batch, archives, cancellationToken));
        return [.. changed.Where(a => !same.Contains(a.Id))];
    }

    private async Task<IEnumerable<long>> SameAsync(
        SelectedBatch batch,
        Dictionary<string, DueArchive> archives,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var export = await retry.ExecuteAsync(token => _exporter.ExportAsync(batch, token), cancellationToken);
            await using (export)
                return await CompareAsync(export, archives, cancellationToken);
        }
        catch (Npgsql.PostgresException exception) when (exception.IsLockTimeout() && !cancellationToken.IsCancellationRequested)
        {
            // Nobody could look: the next run does, and until then they stay what they are.
            return batch.Sessions.Select(s => archives[s.Key].Id);
        }
        catch (Npgsql.PostgresException exception) when (exception.IsAboutOneBatch() && !cancellationToken.IsCancellationRequested)
        {
            // What cannot be read cannot be called the same.
            if (batch.Sessions.Count == 1)
                return [];
            var (first, second) = batch.Halve();
            return [.. await SameAsync(first, archives, cancellationToken), .. await SameAsync(second, archives, cancellationToken)];
        }
    }

    private async Task<IEnumerable<long>> CompareAsync(
        ExportedBatch export,
        Dictionary<string, DueArchive> archives,
        CancellationToken cancellationToken
    )
    {
        // The names are those of this export, whose content is compared: a change from here on gives others.
        var renamed = export.Sessions.ToDictionary(
            s => s.Key,
            s => archives[s.Key] with { Fingerprints = Fingerprint.ToJson(s.Fingerprints) },
            StringComparer.Ordinal
        );
        var verifier = new ObjectVerifier(store, run.Source.Map.Session.Key);
        var verified = await VerifiedBatch.ReverifyAsync(export, renamed, verifier, settings.Storage.UploadConcurrency, cancellationToken);
        var asMarked = await retry.ExecuteAsync(token => AsMarkedAsync(verified.Sessions, archives, token), cancellationToken);
        List<DueArchive> same = [.. verified.Sessions.Where(s => asMarked.Contains(s.Key)).Select(s => renamed[s.Key])];
        await retry.ExecuteAsync(token => RenameAsync(same, token), cancellationToken);
        return same.Select(a => a.Id);
    }

    /// <summary>
    /// Sessions whose row is still the version that was exported and, where it bears a mark, holds all that it held when it was marked.
    /// </summary>
    private async Task<HashSet<string>> AsMarkedAsync(
        IReadOnlyList<VerifiedSession> sessions,
        Dictionary<string, DueArchive> archives,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync($"SET TRANSACTION READ ONLY; {TransactionSettings.Export}", cancellationToken);
        var rows = (
            await connection.QueryAsync(
                new SessionMarks(run.Source.Map, run.Shape).Images,
                row => (Key: row.GetString(0), Version: default(Fingerprint).Add(row.GetInt64(1)), Image: row.GetString(2)),
                cancellationToken,
                PgParameter.Texts(sessions.Select(s => s.Key))
            )
        ).ToDictionary(r => r.Key, StringComparer.Ordinal);
        return
        [
            .. sessions
                .Where(s =>
                    rows.TryGetValue(s.Key, out var row)
                    && row.Version == s.Session.Fingerprints[Settings.SourceMap.SessionName]
                    && (archives[s.Key].Mark is not { } mark || SessionMarks.ImageOf(mark) == row.Image)
                )
                .Select(s => s.Key),
        ];
    }

    private async Task<int> RenameAsync(List<DueArchive> same, CancellationToken cancellationToken)
    {
        if (same.Count == 0)
            return 0;
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        return await connection.ExecuteAsync(
            Rename,
            cancellationToken,
            PgParameter.Bigints(same.Select(a => a.Id)),
            PgParameter.Texts(same.Select(a => a.Fingerprints))
        );
    }
}
