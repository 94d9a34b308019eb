using Archiver.Core.Documents;
using Archiver.Core.Reading;
using Archiver.Core.Sources;
using Archiver.Core.Spool;

namespace Archiver.Core.Import;

/// <summary>
/// A session on its way back: read to its end, checked against the ledger, and turned into COPY text. Nothing of it has touched a database.
/// Large ones lie in an encrypted temporary file.
/// </summary>
internal sealed record StagedSession(
    RestoreCandidate Candidate,
    string Key,
    DocumentHeader Header,
    ImportPlan Plan,
    SpooledContent Content,
    IReadOnlyList<StagedTable> Tables,
    long JsonLength
) : IAsyncDisposable
{
    /// <summary>Rows of all tables that there are: a session may have no row of its own, and a table may be gone.</summary>
    public long Rows =>
        Tables.Where(t => Plan.Tables.Any(p => p.Name == t.Name && p.Target is { Oid: not TableShape.None })).Sum(t => t.Digest.Rows);

    /// <summary>The part of one table; a document without such a table has no rows of it.</summary>
    public StagedTable this[string table] => Tables.FirstOrDefault(t => t.Name == table) ?? new(table, default, 0, 0);

    public ValueTask DisposeAsync() => Content.DisposeAsync();
}

/// <summary>Rows of one table inside a staged session.</summary>
/// <param name="Name">Its name in the map.</param>
/// <param name="Digest">What must be read back from the database.</param>
/// <param name="Offset">First byte of its lines.</param>
/// <param name="Length">Bytes of its lines.</param>
internal sealed record StagedTable(string Name, RowDigest Digest, long Offset, long Length);
