using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Reconciliation;

/// <summary>
/// Looks for another object that holds the same rows of a session. An object is what it holds, not where it lies: a newer generation with
/// other rows keeps nothing of an older one, and the same object found by two ways is one object. So a keeper is recorded at a place of
/// this very store, of which no other row has the key, is read back now to its last byte, and a commit confirmed it or it was written
/// later.
/// </summary>
internal sealed class ContentKeepers(NpgsqlConnection connection, IArchiveReader store, SourceSettings source, ConfirmedObjects confirmed)
{
    private const string Candidates = """
        SELECT o.key, o.version_id, a.byte_offset, a.byte_length, a.json_sha256, a.reason
        FROM archiver.archives AS a
        JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE a.source = $1 AND a.session_id = $2 AND o.location = $3
          AND o.state = 'stored' AND o.removal_began_at IS NULL AND a.state IN ('stored', 'archived', 'restored')
        ORDER BY a.generation DESC
        """;

    private readonly ObjectExaminer _examiner = new(store, source);

    /// <summary>Whether the rows of a document in an object that is no archive's are safe without it.</summary>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task<bool> ExistAsync(FoundDocument document, CancellationToken cancellationToken)
    {
        var candidates = await connection.QueryAsync(
            Candidates,
            row => new Candidate(
                new(row.GetString(0), row.TextOrNull(1)),
                row.GetInt64(2),
                row.GetInt64(3),
                row.GetFieldValue<byte[]>(4),
                row.TextOrNull(5)
            ),
            cancellationToken,
            PgParameter.Text(source.Name),
            PgParameter.Text(document.SessionId),
            PgParameter.Text(store.Location)
        );
        foreach (var candidate in candidates)
        {
            if (
                await _examiner.ReadAsync(candidate.Name, candidate.Offset, candidate.Length, cancellationToken) is { } keeper
                && keeper.JsonSha256.AsSpan().SequenceEqual(candidate.JsonSha256)
                && keeper.SessionId == document.SessionId
                && keeper.RowsSha256.AsSpan().SequenceEqual(document.RowsSha256)
                && (candidate.IsConfirmed || confirmed.Has(keeper) || keeper.ArchivedAt > document.ArchivedAt)
                && await IsCurrentAsync(candidate.Name, cancellationToken)
            )
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Not behind a delete marker or a later version: a lifecycle rule may end what these hide.</summary>
    private async Task<bool> IsCurrentAsync(ObjectName name, CancellationToken cancellationToken) =>
        await store.HeadAsync(new(name.Key), cancellationToken) is { } head
        && (name.VersionId is null || head.Name.VersionId == name.VersionId);

    /// <summary>An archive of the same session.</summary>
    private sealed record Candidate(ObjectName Name, long Offset, long Length, byte[] JsonSha256, string? Reason)
    {
        /// <summary>The ledger row was written by the commit itself, or a manifest of that commit was found.</summary>
        public bool IsConfirmed => Reason != FoundRecords.Unconfirmed;
    }
}
