using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Sources;
using Archiver.Core.Upload;
using Archiver.Core.Verification;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>Writes to the ledger, in the deleting transaction, what becomes of every session and object of a batch.</summary>
internal static class DeletionRecords
{
    public static async Task WriteAsync(
        NpgsqlConnection connection, ArchiveLedger ledger, VerifiedBatch batch, IReadOnlyList<VerifiedSession> deleted,
        IReadOnlyList<DroppedSession> dropped, CancellationToken cancellationToken)
    {
        await WriteAsync(connection, ledger, batch, deleted, [.. deleted.Select(s => Record(s.Object, s.Member, "archived", null))], dropped, cancellationToken).ConfigureAwait(false);
        await ledger.CountAsync(
            connection, new(deleted.Count, deleted.Sum(s => s.Session.Rows), deleted.Sum(s => s.Session.Document.JsonLength), deleted.Sum(s => s.Member.Length)), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same where the rows stay: the ledger keeps the versions that the mark left.</summary>
    public static async Task WriteStoredAsync(
        NpgsqlConnection connection, ArchiveLedger ledger, VerifiedBatch batch, IReadOnlyList<MarkedSession> marked,
        IReadOnlyList<DroppedSession> dropped, CancellationToken cancellationToken)
    {
        List<VerifiedSession> sessions = [.. marked.Select(m => m.Session)];
        await WriteAsync(
            connection, ledger, batch, sessions,
            [.. marked.Select(m => Record(m.Session.Object, m.Session.Member, "stored", null) with { Fingerprints = Fingerprint.ToJson(m.Fingerprints), Mark = m.Mark })],
            dropped, cancellationToken).ConfigureAwait(false);
        await ledger.CountAsync(
            connection, new(sessions.Count, 0, sessions.Sum(s => s.Session.Document.JsonLength), sessions.Sum(s => s.Member.Length)), cancellationToken).ConfigureAwait(false);
    }

    private static async Task WriteAsync(
        NpgsqlConnection connection, ArchiveLedger ledger, VerifiedBatch batch, IReadOnlyList<VerifiedSession> kept, IReadOnlyList<ArchiveRecord> archives,
        IReadOnlyList<DroppedSession> dropped, CancellationToken cancellationToken)
    {
        var reasons = dropped.ToDictionary(d => d.Key, d => d.Reason, StringComparer.Ordinal);
        List<ArchiveRecord> records =
        [
            .. archives,
            .. batch.Sessions.Where(s => reasons.ContainsKey(s.Key)).Select(s => Record(s.Object, s.Member, "abandoned", reasons[s.Key])),
            .. batch.Rejected.Select(r => Record(r.Object, r.Member, "abandoned", r.Reason)),
        ];
        await ledger.InsertArchivesAsync(connection, batch.Export.ExportedAt, records, cancellationToken).ConfigureAwait(false);

        var used = kept.Select(s => s.Object).DistinctBy(o => o.Id).ToDictionary(o => o.Id, o => o.VersionId);
        await ArchiveLedger.MarkStoredAsync(connection, used, cancellationToken).ConfigureAwait(false);
        var unused = batch.Sessions.Select(s => (s.Object, Reason: reasons.GetValueOrDefault(s.Key)))
            .Concat(batch.Rejected.Select(r => (r.Object, Reason: (string?)r.Reason)))
            .Where(o => o.Reason is not null && !used.ContainsKey(o.Object.Id))
            .DistinctBy(o => o.Object.Id)
            .Select(o => (o.Object.Id, o.Object.VersionId, o.Reason!));
        await ArchiveLedger.MarkAbandonedAsync(connection, [.. unused], cancellationToken).ConfigureAwait(false);
    }

    private static ArchiveRecord Record(UploadedObject stored, ObjectMember member, string state, string? reason)
    {
        var session = member.Session.Session;
        return new()
        {
            SessionId = session.Key,
            ExternalId = session.ExternalId,
            Generation = session.Generation,
            State = state,
            User = session.User,
            Created = session.Created,
            LastActivity = session.LastActivity,
            Messages = member.Session.Fingerprints.TryGetValue(SourceMap.MessagesName, out var messages) ? messages.Rows : 0,
            Rows = member.Session.Rows,
            ObjectId = stored.Id,
            Offset = member.Offset,
            Length = member.Length,
            JsonLength = member.Session.Document.JsonLength,
            JsonSha256 = member.Session.Document.JsonSha256,
            Fingerprints = Fingerprint.ToJson(member.Session.Fingerprints),
            Keep = session.Keep,
            Reason = reason,
        };
    }
}
