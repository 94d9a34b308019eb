namespace Archiver.Core.Erasure;

/// <summary>The SQL of <see cref="BundleRewriter"/>.</summary>
internal static class BundleStatements
{
    public const string Others = """
        SELECT a.id, a.session_id, a.byte_offset, a.byte_length, a.json_sha256
        FROM archiver.archives AS a
        WHERE a.object_id = $1 AND a.state <> 'erased' AND NOT (a.session_id = ANY ($2))
        """;

    // It is as old as the old one: a discard must not begin to count again.
    public const string InsertPending = """
        INSERT INTO archiver.objects (location, key, attempt, source, run_id, layout, members, length, sha256, created_at)
        SELECT o.location, $2, $3, o.source, $4, 'bundle', $5, $6, $7, o.created_at FROM archiver.objects AS o WHERE o.id = $1
        RETURNING id
        """;

    public const string Point = """
        UPDATE archiver.archives AS a SET object_id = $2, byte_offset = n.byte_offset
        FROM unnest($3, $4) AS n (id, byte_offset)
        WHERE a.id = n.id AND a.object_id = $1
        """;

    public const string Settle = """
        UPDATE archiver.objects AS n
        SET state = o.state, version_id = $3, stored_at = o.stored_at, ended_at = o.ended_at, reason = o.reason,
          discard_announced_at = o.discard_announced_at
        FROM archiver.objects AS o
        WHERE n.id = $2 AND o.id = $1 AND n.state = 'pending'
        """;

    public const string Shrink = "UPDATE archiver.objects AS o SET members = $2 WHERE o.id = $1";
}
