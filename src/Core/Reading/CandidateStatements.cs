using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Reading;

/// <summary>What a page of archives holds.</summary>
internal enum CandidateKind
{
    /// <summary>Whole sessions.</summary>
    Sessions,

    /// <summary>Parts of sessions.</summary>
    Parts,

    /// <summary>
    /// Sessions without a row: as of parts, several may be archived at once, each with rows of its own that came after the one before.
    /// </summary>
    Rowless,
}

/// <summary>The SQL of <see cref="CandidateFinder"/>.</summary>
internal static class CandidateStatements
{
    /// <summary>Whether the session of an archive, alias a, has a row.</summary>
    public static string IsThere(SourceMap map, SourceShape shape) =>
        $"EXISTS (SELECT FROM {map.Session.Sql} AS t WHERE {shape.KeyOf(map, "t")}::text = a.session_id)";

    // Ids come twice: as keys, and as they were given, with NULL for one that the tables have as a key. An id that is one session's key
    // and another's external id means the first.
    // The newest archive that is in the store, or the one asked for. Bulk selections into the source itself take what is not in the
    // tables; ids and other targets take whatever can be read. Of parts all are taken whose messages are not in the tables: the rows say
    // whether those of a part that was restored before still are. A whole archive that was made since has them as they were last.
    /// <summary>A page of archives.</summary>
    /// <param name="kind">Which archives.</param>
    /// <param name="isThere">
    /// SQL of whether the session has a row; null where rows go elsewhere, and what is in the source says nothing.
    /// </param>
    /// <param name="replaces">Whether what is asked for takes the place of a live session.</param>
    public static string Page(CandidateKind kind, string? isThere, bool replaces)
    {
        var parts = kind == CandidateKind.Parts;
        return $"""
            SELECT a.id, a.session_id, a.generation, a.state, o.key, o.version_id, a.byte_offset, a.byte_length, a.json_length,
              a.json_sha256,
              a.object_id, a.external_id, a.user_id, a.session_created_at, a.exported_at,
                   {(
                parts && isThere is not null
                    ? $"$8 AND NOT {isThere} AND NOT EXISTS ({OfSession("w", part: false)} AND w.state = 'archived')"
                    : "false"
            )},
                   {(parts ? $"a.state = 'restored' AND EXISTS ({OfSession("p", part: true)} AND {After("p")})" : "false")},
                   {(
                parts
                    ? $"$9::int IS NULL AND $3::text[] IS NULL AND EXISTS ({OfSession("w", part: false)} AND w.state IN "
                        + $"{ArchiveStates.Readable})"
                    : "false"
            )},
                   {(
                parts ? $"EXISTS ({OfSession("e", part: true)} AND e.state = 'restored' AND a.exported_at > e.restored_at)" : "false"
            )},
                   {(parts ? "$8 AND a.state = 'restored'" : "false")}
            FROM archiver.archives AS a
            JOIN archiver.objects AS o ON o.id = a.object_id
            WHERE a.source = $1 AND {OfKind(kind)}
              AND ($2::text[] IS NULL OR a.session_id = ANY ($2)
                   OR (a.external_id = ANY ($14) AND NOT EXISTS (
                     SELECT FROM archiver.archives AS k
                     WHERE k.source = a.source AND k.session_id = ($2::text[])[array_position($14::text[], a.external_id)]
                       AND k.state <> 'erased')))
              AND ($3::text[] IS NULL OR o.key = ANY ($3))
              AND ($4::text[] IS NULL OR a.user_id = ANY ($4))
              AND ($5::uuid IS NULL OR a.run_id = $5)
              AND ($6::timestamptz IS NULL OR a.session_last_activity >= $6)
              AND ($7::timestamptz IS NULL OR a.session_last_activity < $7)
              AND (a.state = 'archived' OR (NOT $8 AND a.state IN ('stored', 'restored', 'superseded', 'unknown')){(
                parts ? " OR a.state = 'restored'" : ""
            )})
              AND CASE WHEN $9::int IS NOT NULL THEN a.generation = $9
                       WHEN $3::text[] IS NOT NULL THEN true
                       ELSE {Chosen(kind, replaces ? null : isThere)} END
              AND {(
                kind != CandidateKind.Sessions
                    ? "(a.exported_at, a.id) < ($15::timestamptz, $12) AND $10::bigint IS NOT NULL AND $11::bigint IS NOT NULL"
                    : "(a.object_id, a.byte_offset, a.id) > ($10, $11, $12) AND $15::timestamptz IS NOT NULL"
            )}
            ORDER BY {(kind != CandidateKind.Sessions ? "a.exported_at DESC, a.id DESC" : "a.object_id, a.byte_offset, a.id")}
            LIMIT $13
            """;
    }

    private static string OfKind(CandidateKind kind) =>
        kind switch
        {
            CandidateKind.Sessions => "NOT a.part",
            CandidateKind.Parts => "a.part",
            _ => "true",
        };

    private static string Chosen(CandidateKind kind, string? isThere) =>
        kind switch
        {
            CandidateKind.Sessions => Newest(
                isThere,
                OfSession("n", part: false),
                ArchiveOrder.IsNewer("n", "a"),
                OfSession("p", part: true)
            ),
            CandidateKind.Parts => Part,
            _ => $"({Left("a")} OR ({Newest(isThere, OfSession("n"), StandsBefore, OfSession("p"))}))",
        };

    // What gave way to another archive comes only where there is no other.
    private static readonly string StandsBefore =
        "((n.state <> 'superseded') > (a.state <> 'superseded')"
        + $" OR ((n.state = 'superseded') = (a.state = 'superseded') AND {ArchiveOrder.IsNewer("n", "a")}))";

    // One that is live because it was restored is not in question where older messages of it are to come back.
    private static string Newest(string? isThere, string others, string isBefore, string left) =>
        $"""
            NOT EXISTS ({others} AND {isBefore} AND n.state IN {ArchiveStates.Readable})
            {(
                isThere is null
                    ? ""
                    : $"AND NOT (a.state = 'restored' AND {isThere} AND EXISTS ({left} AND {Left("p")}))"
            )}
            """;

    private static readonly string Part =
        $"({Left("a")} OR (a.state = 'restored' AND NOT EXISTS ({OfSession("n", part: false)} AND {After("n")})))";

    // Its rows are nowhere else, or nobody knows.
    private static string Left(string alias) => $"{alias}.state IN ('archived', 'unknown')";

    // Made after the rows were back, so that it may have them, too.
    private static string After(string alias) => $"{alias}.exported_at > a.restored_at AND {alias}.state IN {ArchiveStates.Readable}";

    private static string OfSession(string alias, bool? part = null) =>
        $"SELECT FROM archiver.archives AS {alias} WHERE {alias}.source = a.source AND {alias}.session_id = a.session_id"
        + (part is { } only ? $" AND {(only ? "" : "NOT ")}{alias}.part" : "");

    // So that a second restore by user, run or dates can say what is there already, and what the application has deleted since. Of a part
    // the session's row says nothing: its rows are asked.
    public static string Restored(string isThere) =>
        $"""
            SELECT a.session_id, {isThere}
            FROM archiver.archives AS a
            WHERE a.source = $1 AND a.state = 'restored' AND NOT a.part
              AND ($2::text[] IS NULL OR a.user_id = ANY ($2))
              AND ($3::uuid IS NULL OR a.run_id = $3)
              AND ($4::timestamptz IS NULL OR a.session_last_activity >= $4)
              AND ($5::timestamptz IS NULL OR a.session_last_activity < $5)
              AND NOT EXISTS ({OfSession("n", part: false)} AND {ArchiveOrder.IsNewer("n", "a")}
                AND n.state IN {ArchiveStates.Readable})
            """;
}
