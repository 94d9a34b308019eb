using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Spool;
using Archiver.Core.Storage;

namespace Archiver.Core.Bucket;

/// <summary>
/// Writes the manifest of a batch after its commit, never before: what it names is true. A crash between the two leaves objects that a
/// rebuild calls unconfirmed, which costs nothing but the word.
/// </summary>
internal sealed class ManifestWriter(RunContext run, IArchiveStore store)
{
    private int _sequence;

    /// <exception cref="StorageException">
    /// The store failed for longer than the retry budget, or for good; the batch is committed all the same.
    /// </exception>
    public async Task WriteAsync(IReadOnlyList<ManifestMember> members, CancellationToken cancellationToken)
    {
        if (members.Count == 0)
            return;
        var manifest = new BatchManifest
        {
            Format = BatchManifest.CurrentFormat,
            LedgerId = run.Database.LedgerId,
            SystemId = run.Database.SystemId,
            Database = run.Database.Database,
            Source = run.Source.Name,
            Policy = run.Policy.Name,
            Run = run.Id,
            Sequence = Interlocked.Increment(ref _sequence),
            Members = members,
        };
        await using var spool = new SpoolingStream();
        await using (var gzip = new GZipStream(spool, CompressionLevel.Optimal, leaveOpen: true))
            await JsonSerializer.SerializeAsync(gzip, manifest, ManifestJson.Default.BatchManifest, cancellationToken);
        using var content = spool.Complete();
        var attempt = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var refuses = await store.RefusesOverwriteAsync(run.Source.Prefix, content.Length, cancellationToken);
        var metadata = new ObjectMetadata
        {
            LedgerId = run.Database.LedgerId,
            SystemId = run.Database.SystemId,
            Source = run.Source.Name,
            Run = run.Id.ToString(),
            Attempt = attempt,
        };
        // The run's id is random, so nobody else writes this name; were it taken all the same, the nonce makes another one.
        if (
            !(
                await store.PutIfAbsentAsync(
                    manifest.Key(run.Source.Prefix, refuses ? null : attempt[..16]),
                    content,
                    metadata,
                    cancellationToken
                )
            ).Stored
        )
            await store.PutIfAbsentAsync(manifest.Key(run.Source.Prefix, attempt[..16]), content, metadata, cancellationToken);
    }
}
