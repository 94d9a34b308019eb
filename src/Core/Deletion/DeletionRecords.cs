using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Verification;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>Writes to the ledger, in the deleting transaction, what becomes of every session and object of a batch.</summary>
internal static class DeletionRecords
{
    public static async Task WriteAsync(
        NpgsqlConnection connection,
        ArchiveLedger ledger,
        VerifiedBatch batch,
        IReadOnlyList<VerifiedSession> deleted,
        IReadOnlyList<DroppedSession> dropped,
        CancellationToken cancellationToken
    )
    {
        if (batch.Stored is { } stored)
        {
            // What stays is stored as before; whether it has changed is for the next run to find.
            await ArchiveLedger.ArchiveStoredAsync(connection, [.. deleted.Select(s => stored[s.Key].Id)], cancellationToken);
            await ledger.CountAsync(connection, new(deleted.Count, deleted.Sum(s => s.Session.TableRows)), cancellationToken);
            return;
        }
        await WriteAsync(
            connection,
            ledger,
            batch,
            deleted,
            [.. deleted.Select(s => Record(s.Copy, s.Session, "archived", null))],
            dropped,
            cancellationToken
        );
        await ledger.CountAsync(
            connection,
            new(deleted.Count, deleted.Sum(s => s.Session.TableRows), deleted.Sum(s => s.Copy.JsonLength), deleted.Sum(s => s.Copy.Length)),
            cancellationToken
        );
    }

    /// <summary>The same where the rows stay: the ledger keeps the versions that the mark left.</summary>
    public static async Task WriteStoredAsync(
        NpgsqlConnection connection,
        ArchiveLedger ledger,
        VerifiedBatch batch,
        IReadOnlyList<MarkedSession> marked,
        IReadOnlyList<DroppedSession> dropped,
        CancellationToken cancellationToken
    )
    {
        List<VerifiedSession> sessions = [.. marked.Select(m => m.Session)];
        await WriteAsync(
            connection,
            ledger,
            batch,
            sessions,
            [
                .. marked.Select(m =>
                    Record(m.Session.Copy, m.Session.Session, "stored", null) with
                    {
                        Fingerprints = Fingerprint.ToJson(m.Fingerprints),
                        Mark = m.Mark,
                    }
                ),
            ],
            dropped,
            cancellationToken
        );
        await ledger.CountAsync(
            connection,
            new(sessions.Count, 0, sessions.Sum(s => s.Copy.JsonLength), sessions.Sum(s => s.Copy.Length)),
            cancellationToken
        );
    }

    /// <summary>
    /// Whether a transaction of this batch has written what became of its sessions. All of them are asked for, those too whose copies were
    /// wrong: there may be no others.
    /// </summary>
    public static Task<bool> AreWrittenAsync(
        NpgsqlConnection connection,
        ArchiveLedger ledger,
        VerifiedBatch batch,
        CancellationToken cancellationToken
    ) =>
        ledger.KnowsAsync(
            connection,
            [.. batch.Sessions.Select(s => (s.Key, s.Copy.ObjectId)), .. batch.Rejected.Select(r => (r.Key, r.Copy.ObjectId))],
            cancellationToken
        );

    private static async Task WriteAsync(
        NpgsqlConnection connection,
        ArchiveLedger ledger,
        VerifiedBatch batch,
        IReadOnlyList<VerifiedSession> kept,
        IReadOnlyList<ArchiveRecord> archives,
        IReadOnlyList<DroppedSession> dropped,
        CancellationToken cancellationToken
    )
    {
        var reasons = dropped.ToDictionary(d => d.Key, d => d.Reason, StringComparer.Ordinal);
        List<ArchiveRecord> records =
        [
            .. archives,
            .. batch.Sessions.Where(s => reasons.ContainsKey(s.Key)).Select(s => Record(s.Copy, s.Session, "abandoned", reasons[s.Key])),
            .. batch.Rejected.Select(r => Record(r.Copy, r.Session, "abandoned", r.Reason)),
        ];
        await ledger.InsertArchivesAsync(connection, batch.Export.ExportedAt, records, cancellationToken);

        var used = kept.Select(s => s.Copy).DistinctBy(c => c.ObjectId).ToDictionary(c => c.ObjectId, c => c.Object.VersionId);
        await ArchiveLedger.MarkStoredAsync(connection, used, cancellationToken);
        var unused = batch
            .Sessions.Select(s => (s.Copy, Reason: reasons.GetValueOrDefault(s.Key)))
            .Concat(batch.Rejected.Select(r => (r.Copy, Reason: (string?)r.Reason)))
            .Where(o => o.Reason is not null && !used.ContainsKey(o.Copy.ObjectId) && !batch.Needed.Contains(o.Copy.ObjectId))
            .DistinctBy(o => o.Copy.ObjectId)
            .Select(o => (o.Copy.ObjectId, o.Copy.Object.VersionId, o.Reason!));
        await ArchiveLedger.MarkAbandonedAsync(connection, [.. unused], cancellationToken);
    }

    private static ArchiveRecord Record(StoredCopy copy, ExportedSession exported, string state, string? reason)
    {
        var session = exported.Session;
        return new()
        {
            SessionId = session.Key,
            ExternalId = session.ExternalId,
            Generation = session.Generation,
            State = state,
            User = session.User,
            Created = session.Created,
            FirstActivity = session.FirstActivity,
            LastActivity = session.LastActivity,
            Messages = exported.Fingerprints.TryGetValue(SourceMap.MessagesName, out var messages) ? messages.Rows : 0,
            Rows = exported.Rows,
            ObjectId = copy.ObjectId,
            Offset = copy.Offset,
            Length = copy.Length,
            JsonLength = copy.JsonLength,
            JsonSha256 = copy.JsonSha256,
            Fingerprints = Fingerprint.ToJson(exported.Fingerprints),
            Keep = session.Keep,
            Reason = reason,
            IsPart = exported.Versions is not null,
        };
    }
}
