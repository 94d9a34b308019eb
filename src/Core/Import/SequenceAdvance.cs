using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Import;

/// <summary>
/// Keeps sequences ahead of restored values, before the commit that makes these visible. Where rows go back to where they came from the
/// sequence is ahead already; in an empty database the application's next insert would hit a restored key.
/// </summary>
/// <param name="rehearsal">Whether everything will be rolled back: setval would stay, so it is left out, and all else is done.</param>
internal sealed class SequenceAdvance(NpgsqlConnection connection, RestoreTarget target, bool rehearsal)
{
    // pg_sequence_last_value is NULL until the first value is taken. Never backwards.
    private const string Behind = """
        SELECT CASE WHEN s.seqincrement > 0 THEN least($2, s.seqmax)
          ELSE greatest($3, s.seqmin) END, has_sequence_privilege($1::oid, 'UPDATE')
        FROM pg_sequence AS s
        WHERE s.seqrelid = $1::oid
          AND CASE WHEN s.seqincrement > 0
                THEN coalesce(pg_sequence_last_value($1::oid::regclass), s.seqstart - 1) < least($2, s.seqmax)
                ELSE coalesce(pg_sequence_last_value($1::oid::regclass), s.seqstart + 1) > greatest($3, s.seqmin) END
        """;

    private const string Advance = "SELECT setval($1::oid::regclass, $2)";

    /// <summary>Looks at the rows themselves: a trigger or default may have given one another number than the document.</summary>
    /// <exception cref="ArchiverException">The role may not set a sequence.</exception>
    public async Task AdvanceAsync(IReadOnlyList<StagedSession> inserted, CancellationToken cancellationToken)
    {
        foreach (var sequence in target.Sequences)
        {
            var table = target.Shape.Tables.First(t => t.Oid == sequence.Table);
            if (inserted.Any(s => s[table.Name].Length > 0))
                await AdvanceAsync(sequence, table, inserted, cancellationToken);
        }
    }

    private async Task AdvanceAsync(
        OwnedSequence sequence,
        TableShape table,
        IReadOnlyList<StagedSession> inserted,
        CancellationToken cancellationToken
    )
    {
        var number = Number(table[sequence.Column]);
        var (least, most) = (
            await connection.QueryAsync(
                $"SELECT min({number}), max({number}) FROM {new ImportStatements(target).RowsOf(table.Name)}",
                row => (Least: row.IsDBNull(0) ? (long?)null : row.GetInt64(0), Most: row.IsDBNull(1) ? (long?)null : row.GetInt64(1)),
                cancellationToken,
                PgParameter.Texts(inserted.Select(s => s.Key))
            )
        )[0];
        if (most is null)
            return;
        var behind = await connection.QueryAsync(
            Behind,
            row => (To: row.GetInt64(0), Allowed: row.GetBoolean(1)),
            cancellationToken,
            PgParameter.Oid(sequence.Oid),
            PgParameter.Bigint(most),
            PgParameter.Bigint(least)
        );
        foreach (var (to, allowed) in behind)
        {
            if (!allowed)
                throw new ArchiverException(
                    FailureKind.Refused,
                    $"Sequence {sequence.Sql} must go on behind the restored values of "
                        + $"{table.Table}.{sequence.Column}: GRANT UPDATE ON SEQUENCE {sequence.Sql} to the archiver's role. The batch in "
                        + "hand was rolled back."
                );
            if (!rehearsal)
                await connection.ExecuteAsync(Advance, cancellationToken, PgParameter.Oid(sequence.Oid), PgParameter.Bigint(to));
        }
    }

    // A text or a number with decimals may hold what no sequence gives.
    private static string Number(ColumnShape column)
    {
        var value = SessionPath.Column("t", column.Name);
        return column.BaseType is "smallint" or "integer" or "bigint"
            ? $"{value}::bigint"
            : $"CASE WHEN {value}::text ~ '^-?[0-9]{{1,18}}$' THEN {value}::text::bigint END";
    }
}
