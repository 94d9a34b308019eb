using System.Text.Json;
using Archiver.Core.Documents;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Proofs;

/// <summary>
/// The archives that were not right when they were last read, whoever read them. A proof reads others the next time, so what it found must
/// stay known until the archive is read again and right, or is meant to be gone.
/// </summary>
internal static class DamageRecords
{
    private const string Readable = $"""
        FROM archiver.damages AS d
        JOIN archiver.archives AS a ON a.id = d.archive_id
        JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE a.source = $1 AND o.state = 'stored' AND o.removal_began_at IS NULL
          AND a.state IN {ArchiveStates.Readable}
        """;

    private const string Known = $"SELECT d.archive_id, d.problem {Readable} AND d.proof = $2 ORDER BY d.found_at, d.archive_id";

    // Whoever only reads, or reads on a standby, reports all the same.
    private const string MayWrite =
        "SELECT has_table_privilege('archiver.damages', 'INSERT, DELETE') AND NOT pg_is_in_recovery() AND NOT "
        + "current_setting('transaction_read_only')::boolean";

    private const string Change = """
        WITH healed AS (DELETE FROM archiver.damages AS d WHERE d.proof = $1 AND d.archive_id = ANY ($2))
        INSERT INTO archiver.damages AS d (archive_id, proof, problem) SELECT n.id, $1, n.problem FROM unnest($3, $4) AS n (id, problem)
        ON CONFLICT (archive_id, proof) DO UPDATE SET problem = excluded.problem
        """;

    private const string Counts = $"SELECT d.problem, count(*) {Readable} GROUP BY d.problem ORDER BY d.problem";

    private const string First =
        $"SELECT a.session_id, a.generation, o.key, d.proof, d.problem, d.found_at {Readable} ORDER BY d.found_at, a.id LIMIT $2";

    /// <summary>Notes what was found, and forgets what is right again; without a difference nothing is written.</summary>
    public static async Task WriteAsync(
        NpgsqlConnection connection,
        string source,
        Proof proof,
        IEnumerable<long> right,
        IReadOnlyCollection<(long Id, VerifyProblem Found)> wrong,
        CancellationToken cancellationToken
    )
    {
        var known = (
            await connection.QueryAsync(
                Known,
                row => (Id: row.GetInt64(0), Problem: row.GetString(1)),
                cancellationToken,
                PgParameter.Text(source),
                PgParameter.Text(proof.Name())
            )
        ).ToDictionary(d => d.Id, d => d.Problem);
        var healed = known.Count == 0 ? [] : right.Where(known.ContainsKey).ToList();
        var news = wrong
            .Select(w => (w.Id, Problem: Word(w.Found.Problem)))
            .DistinctBy(w => w.Id)
            .Where(w => known.GetValueOrDefault(w.Id) != w.Problem)
            .ToList();
        if (healed.Count + news.Count > 0 && await connection.ScalarAsync<bool>(MayWrite, cancellationToken))
            await connection.ExecuteAsync(
                Change,
                cancellationToken,
                PgParameter.Text(proof.Name()),
                PgParameter.Bigints(healed),
                PgParameter.Bigints(news.Select(n => n.Id)),
                PgParameter.Texts(news.Select(n => n.Problem))
            );
    }

    /// <summary>Known ones, those that wait longest first.</summary>
    public static async Task<IReadOnlyList<long>> KnownAsync(
        NpgsqlConnection connection,
        string source,
        Proof proof,
        long most,
        CancellationToken cancellationToken
    ) =>
        await connection.QueryAsync(
            $"{Known} LIMIT $3",
            row => row.GetInt64(0),
            cancellationToken,
            PgParameter.Text(source),
            PgParameter.Text(proof.Name()),
            PgParameter.Bigint(most)
        );

    /// <summary>How many archives are damaged, by what is wrong with them; every kind is there.</summary>
    public static async Task<IReadOnlyDictionary<string, long>> CountAsync(
        NpgsqlConnection connection,
        string source,
        CancellationToken cancellationToken
    )
    {
        var counts = new SortedDictionary<string, long>(Enum.GetValues<ReadProblem>().ToDictionary(Word, _ => 0L), StringComparer.Ordinal);
        foreach (
            var (problem, count) in await connection.QueryAsync(
                Counts,
                row => (row.GetString(0), row.GetInt64(1)),
                cancellationToken,
                PgParameter.Text(source)
            )
        )
            counts[problem] = count;
        return counts;
    }

    /// <summary>The first of them, for a person.</summary>
    public static async Task<IReadOnlyList<DamagedArchive>> FirstAsync(
        NpgsqlConnection connection,
        string source,
        int most,
        CancellationToken cancellationToken
    ) =>
        await connection.QueryAsync(
            First,
            row => new DamagedArchive(
                row.GetString(0),
                row.GetInt32(1),
                row.GetString(2),
                row.GetString(3),
                row.GetString(4),
                row.GetFieldValue<DateTimeOffset>(5)
            ),
            cancellationToken,
            PgParameter.Text(source),
            PgParameter.Int(most)
        );

    /// <summary>The word for a problem, the same everywhere.</summary>
    public static string Word(ReadProblem problem) => JsonNamingPolicy.SnakeCaseLower.ConvertName(problem.ToString());
}

/// <summary>An archive that was not right when it was last read.</summary>
/// <param name="Proof">verify, or restore_drill: it can be read, and was refused when its restore was rehearsed.</param>
/// <param name="Problem">Such as missing, changed or unreadable.</param>
/// <param name="FoundAt">First seen.</param>
internal sealed record DamagedArchive(
    string SessionId,
    int Generation,
    string ObjectKey,
    string Proof,
    string Problem,
    DateTimeOffset FoundAt
);
