using System.Security.Cryptography;
using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Ledger;
using Archiver.Core.Ownership;
using Archiver.Core.Postgres;
using Archiver.Core.Spool;
using Archiver.Core.Storage;
using Archiver.Core.Upload;
using Npgsql;

namespace Archiver.Core.Erasure;

/// <summary>
/// Writes a bundle again without some of its sessions. The others' gzip members are copied byte for byte, the new object is read back and
/// compared, and then one transaction points the ledger to it. Only after that may the old object go: a crash at any point leaves every
/// session that stays in an object that the ledger names.
/// </summary>
internal sealed class BundleRewriter(ManualScope scope, IArchiveStore store)
{
    private readonly ObjectExaminer _examiner = new(store, scope.Source);

    private int _sequence;

    /// <summary>
    /// Null when the ledger no longer needs the old object for anybody but <paramref name="gone"/>; else why it cannot be written again.
    /// </summary>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task<string?> RewriteAsync(EraseObject old, IReadOnlyCollection<string> gone, CancellationToken cancellationToken)
    {
        if (await _examiner.ExamineAsync(old.Name, cancellationToken) is not { } found)
            return "its bundle is missing, so the other sessions in it cannot be kept apart; see archiver reconcile";
        if (found.Problem is { } problem)
            return $"its bundle cannot be read, so the other sessions in it cannot be kept: {problem}";
        if (new ObjectOwner(store, scope.Database).WhyForeign(found) is { } foreign)
            return $"its bundle is not this database's: {foreign}";
        List<FoundDocument> kept = [.. found.Documents.Where(d => !gone.Contains(d.SessionId))];
        await using var connection = await scope.Connections.OpenAsync(cancellationToken);
        var others = await connection.QueryAsync(
            BundleStatements.Others,
            row => new Other(row.GetInt64(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3), row.GetFieldValue<byte[]>(4)),
            cancellationToken,
            PgParameter.Bigint(old.Id),
            PgParameter.Texts(gone)
        );
        if (others.Any(o => !kept.Exists(o.Is)))
            return "its bundle is not what the ledger says, so the other sessions in it cannot be kept; see archiver verify";
        using var content = await CopyAsync(old, kept, cancellationToken);
        await StoreAsync(connection, old, gone, kept, others, content, cancellationToken);
        return null;
    }

    private async Task<SpooledContent> CopyAsync(EraseObject old, List<FoundDocument> kept, CancellationToken cancellationToken)
    {
        await using var spool = new SpoolingStream();
        foreach (var document in kept)
        {
            await using var member = await store.OpenRangeAsync(old.Name, document.Offset, document.Length, cancellationToken)
                ?? throw new StorageException(StorageFailure.Transient, $"'{old.Key}' went away while it was read.");
            await member.CopyToAsync(spool, cancellationToken);
        }
        return spool.Complete();
    }

    private async Task StoreAsync(
        NpgsqlConnection connection,
        EraseObject old,
        IReadOnlyCollection<string> gone,
        List<FoundDocument> kept,
        List<Other> others,
        SpooledContent content,
        CancellationToken cancellationToken
    )
    {
        var attempt = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var refuses = await store.RefusesOverwriteAsync(scope.Source.Prefix, content.Length, cancellationToken);
        var key = ObjectKey.ForBundle(scope.Source.Prefix, scope.Now, scope.RunId, ++_sequence, refuses ? null : attempt[..16]);
        var id = await connection.ScalarAsync<long>(
            BundleStatements.InsertPending,
            cancellationToken,
            PgParameter.Bigint(old.Id),
            PgParameter.Text(key),
            PgParameter.Text(attempt),
            PgParameter.Uuid(scope.RunId),
            PgParameter.Texts(kept.Select(k => k.SessionId)),
            PgParameter.Bigint(content.Length),
            PgParameter.Bytes(content.Sha256.ToArray())
        );
        FaultPoint.Reach(FaultPoints.EraseBundlePending);
        var metadata = new ObjectMetadata
        {
            LedgerId = scope.Database.LedgerId,
            SystemId = scope.Database.SystemId,
            Database = scope.Database.Database,
            Source = scope.Source.Name,
            Run = scope.RunId.ToString(),
            Attempt = attempt,
        };
        var put = await store.PutIfAbsentAsync(key, content, metadata, cancellationToken);
        if (!put.Stored)
            throw new StorageException(
                StorageFailure.Permanent,
                $"'{key}' is taken by an object that the ledger does not know. Was the ledger lost? See: archiver ledger rebuild"
            );
        FaultPoint.Reach(FaultPoints.EraseBundleStored);
        var offsets = await VerifyAsync(new(key, put.VersionId), kept, content, cancellationToken);

        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.ReadCommitted, cancellationToken);
        var pointed = await connection.ExecuteAsync(
            BundleStatements.Point,
            cancellationToken,
            PgParameter.Bigint(old.Id),
            PgParameter.Bigint(id),
            PgParameter.Bigints(others.Select(o => o.Id)),
            PgParameter.Bigints(others.Select(o => offsets[kept.FindIndex(o.Is)]))
        );
        var settled = await connection.ExecuteAsync(
            BundleStatements.Settle,
            cancellationToken,
            PgParameter.Bigint(old.Id),
            PgParameter.Bigint(id),
            PgParameter.Text(put.VersionId)
        );
        if (pointed != others.Count || settled != 1)
            throw new ArchiverException(
                FailureKind.Failed,
                $"The ledger changed {Counted.Of(pointed, "archive")} where {others.Count} "
                    + $"{(others.Count == 1 ? "was" : "were")} due: another program works on it. Nothing was removed; run the erasure "
                    + "again."
            );
        await connection.ExecuteAsync(
            BundleStatements.Shrink,
            cancellationToken,
            PgParameter.Bigint(old.Id),
            PgParameter.Texts(old.Members.Where(gone.Contains))
        );
        await scope.CommitAsync(connection, transaction, cancellationToken);
        FaultPoint.Reach(FaultPoints.EraseBundlePointed);
    }

    /// <summary>Offsets of the kept sessions in the new object, once every byte of it was read back and found right.</summary>
    private async Task<IReadOnlyList<long>> VerifyAsync(
        ObjectName name,
        List<FoundDocument> kept,
        SpooledContent content,
        CancellationToken cancellationToken
    )
    {
        var found = await _examiner.ExamineAsync(name, cancellationToken);
        var right =
            found is { Problem: null }
            && found.Length == content.Length
            && found.Sha256.AsSpan().SequenceEqual(content.Sha256.Span)
            && found
                .Documents.Select(d => (d.SessionId, d.Generation, Convert.ToHexString(d.JsonSha256)))
                .SequenceEqual(kept.Select(d => (d.SessionId, d.Generation, Convert.ToHexString(d.JsonSha256))));
        return right
            ? [.. found!.Documents.Select(d => d.Offset)]
            : throw new ArchiverException(
                FailureKind.Failed,
                $"'{name.Key}' was stored and reads back differently. The bundle that it should replace was left as it is."
            );
    }

    private sealed record Other(long Id, string Session, long Offset, long Length, byte[] Sha256)
    {
        public bool Is(FoundDocument document) =>
            document.SessionId == Session
            && document.Offset == Offset
            && document.Length == Length
            && document.JsonSha256.AsSpan().SequenceEqual(Sha256);
    }
}
