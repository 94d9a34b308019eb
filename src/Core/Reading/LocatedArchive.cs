using Archiver.Core.Postgres;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Reading;

/// <summary>Where one session's document is, and what its bytes must be.</summary>
internal sealed record LocatedArchive(
    long Id,
    string Source,
    string SessionId,
    int Generation,
    string State,
    ObjectName Object,
    long Offset,
    long Length,
    long JsonLength,
    byte[] JsonSha256
)
{
    /// <summary>Whose it is; with the times it tells an erased session from a newer one of the same id.</summary>
    public string? User { get; init; }

    /// <summary>When the session began.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>When it was exported.</summary>
    public DateTimeOffset? CopiedAt { get; init; }

    /// <summary>
    /// From a row whose first ten columns are id, session_id, generation and state, key and version of the object, offset, length,
    /// json_length and json_sha256.
    /// </summary>
    public static LocatedArchive Read(string source, NpgsqlDataReader row) =>
        new(
            row.GetInt64(0),
            source,
            row.GetString(1),
            row.GetInt32(2),
            row.GetString(3),
            new ObjectName(row.GetString(4), row.TextOrNull(5)),
            row.GetInt64(6),
            row.GetInt64(7),
            row.GetInt64(8),
            row.GetFieldValue<byte[]>(9)
        );
}
