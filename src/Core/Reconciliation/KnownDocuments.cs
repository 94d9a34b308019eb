using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Reconciliation;

/// <summary>
/// Found documents that the ledger has already: at this very place, with the same bytes at another, or with the same rows under their
/// generation. The ledger does not know what rows its archives have, so these are read.
/// </summary>
internal sealed class KnownDocuments(NpgsqlConnection connection, IArchiveReader store, SourceSettings source)
{
    private const string Forget = """
        DELETE FROM pg_temp.archiver_found_documents AS d
        USING archiver.archives AS a JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE a.source = $1 AND a.session_id = d.session_id
          AND (a.json_sha256 = d.json_sha256 OR (o.location = $2 AND o.key = d.key AND a.byte_offset = d.byte_offset))
        """;

    // One that was adopted may have another number in the ledger than in its document. A whole session that no manifest confirms gets no
    // number of its own, whatever it holds.
    private const string Claims = $"""
        SELECT d.key, d.byte_offset, d.rows_sha256, o.key, o.version_id, a.byte_offset, a.byte_length
        FROM pg_temp.archiver_found_documents AS d
        JOIN archiver.archives AS a ON a.source = $1 AND a.session_id = d.session_id
        JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE o.location = $2 AND o.state = 'stored' AND a.state IN {ArchiveStates.Readable}
          AND (a.generation = d.generation OR (a.generation > d.generation AND a.reason IN ($3, $4)))
          AND (d.part OR EXISTS (SELECT FROM pg_temp.archiver_confirmed AS c WHERE c.session_id = d.session_id
            AND c.generation = d.generation AND c.json_sha256 = encode(d.json_sha256, 'hex')))
        """;

    private const string ForgetOne = "DELETE FROM pg_temp.archiver_found_documents AS d WHERE d.key = $1 AND d.byte_offset = $2";

    private readonly ObjectExaminer _examiner = new(store, source);

    /// <summary>Takes them out of the temporary tables.</summary>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task LeaveOutAsync(CancellationToken cancellationToken)
    {
        var (name, place) = (PgParameter.Text(source.Name), PgParameter.Text(store.Location));
        await connection.ExecuteAsync(Forget, cancellationToken, name, place);
        var claims = await connection.QueryAsync(
            Claims,
            row => new Claim(
                row.GetString(0),
                row.GetInt64(1),
                row.GetFieldValue<byte[]>(2),
                new(row.GetString(3), row.TextOrNull(4)),
                row.GetInt64(5),
                row.GetInt64(6)
            ),
            cancellationToken,
            name.Clone(),
            place.Clone(),
            PgParameter.Text(FoundRecords.Confirmed),
            PgParameter.Text(FoundRecords.Unconfirmed)
        );
        foreach (var claim in claims)
        {
            if (await HasSameRowsAsync(claim, cancellationToken))
                await connection.ExecuteAsync(ForgetOne, cancellationToken, PgParameter.Text(claim.Key), PgParameter.Bigint(claim.Offset));
        }
    }

    // What cannot be read is no reason to leave anything out.
    private async Task<bool> HasSameRowsAsync(Claim claim, CancellationToken cancellationToken)
    {
        var known = await _examiner.ReadAsync(claim.Known, claim.KnownOffset, claim.KnownLength, cancellationToken);
        return known is not null && known.RowsSha256.AsSpan().SequenceEqual(claim.RowsSha256);
    }

    /// <summary>A document that was found, and where the archive is that has its generation.</summary>
    private sealed record Claim(string Key, long Offset, byte[] RowsSha256, ObjectName Known, long KnownOffset, long KnownLength);
}
