using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Archiver.Core.Bucket;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Spool;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Erasure;

/// <summary>
/// Takes sessions out of the manifests of a run: writes each one again without them, with the places that the ledger knows now, then
/// removes the old one. Nothing is kept between two tries: what is to be done is read from the bucket and the ledger each time.
/// </summary>
internal sealed class EraseManifests(EraseScope scope)
{
    private const string Places = """
        SELECT a.session_id, a.generation, o.key, o.version_id, a.byte_offset, a.byte_length, encode(a.json_sha256, 'hex')
        FROM archiver.archives AS a
        JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE a.source = $1 AND a.run_id = $2 AND a.state <> 'erased'
        """;

    private readonly ManualScope _run = scope.Run;

    /// <summary>Manifests that are gone.</summary>
    public long Removed { get; private set; }

    /// <summary>
    /// Null when no manifest of the run names a session any more that is to be erased; else what is still there. What came under a hold
    /// stays in them: a rebuild of the ledger would call it unconfirmed.
    /// </summary>
    public async Task<string?> EraseAsync(Guid run, CancellationToken cancellationToken)
    {
        List<(string Key, BatchManifest Manifest)> manifests = [];
        var reader = new ManifestReader(scope.Store);
        await foreach (var found in reader.ReadRunAsync(scope.Source.Prefix, run, cancellationToken))
        {
            // Those of a copy of this database, or of the one that it is a copy of, name the same runs.
            if (
                _run.Database.LedgerIds.Contains(found.Manifest.LedgerId)
                && _run.Database.Origins.Contains((found.Manifest.SystemId, found.Manifest.Database))
            )
                manifests.Add(found);
        }
        if (reader.Unreadable.Count > 0)
            return $"{reader.Unreadable[0]} cannot be read, so nobody can say whom it names";
        await using var connection = await _run.Connections.OpenAsync(cancellationToken);
        await using var transaction = await scope.BeginAsync(connection, cancellationToken);
        var named = manifests.SelectMany(m => m.Manifest.Members).Select(m => m.Session).Where(scope.Work.IsFree).Distinct();
        await scope.KeepHeldAsync(connection, [.. named], cancellationToken);
        var places = await PlacesAsync(connection, run, cancellationToken);
        List<(string Key, BatchManifest Manifest)> old =
        [
            .. manifests.Where(m => m.Manifest.Members.Any(x => scope.Work.IsFree(x.Session) || Now(x, places) != x)),
        ];
        var said = manifests.Except(old).SelectMany(m => m.Manifest.Members).ToHashSet();
        foreach (var (_, manifest) in old)
        {
            List<ManifestMember> members = [.. manifest.Members.Where(m => !scope.Work.IsFree(m.Session)).Select(m => Now(m, places))];
            // One that an erasure before this one wrote, whose old manifest could not be removed, is not written twice.
            if (members.TrueForAll(said.Contains))
                continue;
            await _run.RequireLeaseAsync(connection, cancellationToken);
            await PutAsync(manifest with { Members = members }, cancellationToken);
        }
        FaultPoint.Reach(FaultPoints.EraseManifestsWritten);
        await _run.RequireLeaseAsync(connection, cancellationToken);
        var outcome = await scope.Store.DeleteAllVersionsAsync([.. old.Select(m => new ObjectName(m.Key))], cancellationToken);
        Removed += old.Count - outcome.Failures.Count;
        await _run.CommitAsync(connection, transaction, cancellationToken);
        if (outcome.Outage is { } outage)
            throw outage;
        return outcome.Failures.Values.FirstOrDefault()?.Message;
    }

    private static ManifestMember Now(ManifestMember member, Dictionary<(string, int), ManifestMember> places) =>
        places.TryGetValue((member.Session, member.Generation), out var place) && place.JsonSha256 == member.JsonSha256
            ? member with
            {
                Key = place.Key,
                Version = place.Version,
                Offset = place.Offset,
                Length = place.Length,
            }
            : member;

    private async Task<Dictionary<(string, int), ManifestMember>> PlacesAsync(
        NpgsqlConnection connection,
        Guid run,
        CancellationToken cancellationToken
    )
    {
        var rows = await connection.QueryAsync(
            Places,
            row => new ManifestMember(
                row.GetString(0),
                row.GetInt32(1),
                "",
                row.GetString(2),
                row.TextOrNull(3),
                row.GetInt64(4),
                row.GetInt64(5),
                0,
                row.GetString(6)
            ),
            cancellationToken,
            PgParameter.Text(scope.Source.Name),
            PgParameter.Uuid(run)
        );
        return rows.ToDictionary(r => (r.Session, r.Generation));
    }

    private async Task PutAsync(BatchManifest manifest, CancellationToken cancellationToken)
    {
        await using var spool = new SpoolingStream();
        await using (var gzip = new GZipStream(spool, CompressionLevel.Optimal, leaveOpen: true))
            await JsonSerializer.SerializeAsync(gzip, manifest, ManifestJson.Default.BatchManifest, cancellationToken);
        using var content = spool.Complete();
        var attempt = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var metadata = new ObjectMetadata
        {
            LedgerId = _run.Database.LedgerId,
            SystemId = _run.Database.SystemId,
            Source = scope.Source.Name,
            Run = _run.RunId.ToString(),
            Attempt = attempt,
        };
        await scope.Store.RefusesOverwriteAsync(scope.Source.Prefix, content.Length, cancellationToken);
        await scope.Store.PutIfAbsentAsync(manifest.Key(scope.Source.Prefix, attempt[..16]), content, metadata, cancellationToken);
    }
}
