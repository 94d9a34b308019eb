using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Restore;

/// <summary>
/// Keeps sequences ahead of restored values, before the commit that makes these visible. Where rows go back to where they came from the
/// sequence is ahead already; in an empty database the application's next insert would hit a restored key.
/// </summary>
internal sealed class SequenceAdvance(NpgsqlConnection connection, RestoreTarget target)
{
    // pg_sequence_last_value is NULL until the first value is taken. Never backwards.
    private const string Advance = """
        SELECT setval($1::oid::regclass, CASE WHEN s.seqincrement > 0 THEN least($2, s.seqmax) ELSE greatest($3, s.seqmin) END)
        FROM pg_sequence AS s
        WHERE s.seqrelid = $1::oid
          AND CASE WHEN s.seqincrement > 0
                THEN coalesce(pg_sequence_last_value($1::oid::regclass), s.seqstart - 1) < least($2, s.seqmax)
                ELSE coalesce(pg_sequence_last_value($1::oid::regclass), s.seqstart + 1) > greatest($3, s.seqmin) END
        """;

    /// <summary>Looks at the rows themselves: a trigger or default may have given one another number than the document.</summary>
    public async Task AdvanceAsync(IReadOnlyList<StagedSession> inserted, CancellationToken cancellationToken)
    {
        foreach (var sequence in target.Sequences)
        {
            var table = target.Shape.Tables.First(t => t.Oid == sequence.Table);
            if (inserted.All(s => s[table.Name].Length == 0))
                continue;
            var column = PgIdentifier.Quote(sequence.Column);
            var (least, most) = (await connection.QueryAsync(
                $"SELECT min(t.{column})::bigint, max(t.{column})::bigint FROM {new ImportStatements(target).RowsOf(table.Name)}",
                row => (Least: row.IsDBNull(0) ? (long?)null : row.GetInt64(0), Most: row.IsDBNull(1) ? (long?)null : row.GetInt64(1)),
                cancellationToken, PgParameter.Texts(inserted.Select(s => s.Key))).ConfigureAwait(false))[0];
            if (most is not null)
                await connection.ExecuteAsync(Advance, cancellationToken, PgParameter.Oid(sequence.Oid), PgParameter.Bigint(most), PgParameter.Bigint(least)).ConfigureAwait(false);
        }
    }
}
