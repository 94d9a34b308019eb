using Archiver.Core.Bucket;
using Archiver.Core.Documents;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Reconciliation;

/// <summary>
/// Objects that some commit confirmed, by the manifests in the bucket. A ledger that calls such an object abandoned is not the one that
/// confirmed it: it was restored to an earlier time, or is a physical copy with the same ids beside the production database, in whose
/// tables the rows are long gone. Then the object is an archive, and perhaps the only copy.
/// </summary>
internal sealed class ConfirmedObjects
{
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private readonly HashSet<(string Session, int Generation, string JsonSha256)> _documents = [];
    private readonly IReadOnlyList<string> _unreadable;
    private Guid? _without;

    // A run that ended well has written the manifest of each of its batches.
    private const string Expected = """
        SELECT DISTINCT a.run_id
        FROM archiver.archives AS a
        JOIN archiver.objects AS o ON o.id = a.object_id
        JOIN archiver.runs AS r ON r.id = a.run_id
        WHERE a.source = $1 AND o.location = $2 AND o.state = 'stored' AND r.state = 'done' AND r.action = 'archive'
          AND a.state IN ('stored', 'archived', 'restored')
        """;

    private ConfirmedObjects(IReadOnlyList<string> unreadable) => _unreadable = unreadable;

    /// <summary>
    /// Reads every manifest of the source, if there is anything to ask for, and looks whether those are there that the ledger has to
    /// expect.
    /// </summary>
    public static async Task<ConfirmedObjects> ReadAsync(
        NpgsqlConnection connection,
        IArchiveReader store,
        SourceSettings source,
        IReadOnlyList<AbandonedObject> asked,
        CancellationToken cancellationToken
    )
    {
        var reader = new ManifestReader(store);
        var confirmed = new ConfirmedObjects(reader.Unreadable);
        if (asked.Count == 0)
            return confirmed;
        var expected = (
            await connection.QueryAsync(
                Expected,
                row => row.GetGuid(0),
                cancellationToken,
                PgParameter.Text(source.Name),
                PgParameter.Text(store.Location)
            )
        ).ToHashSet();
        var keys = asked.Select(a => a.Name.Key).ToHashSet(StringComparer.Ordinal);
        var sessions = asked.SelectMany(a => a.Members).ToHashSet(StringComparer.Ordinal);
        await foreach (var manifest in reader.ReadAllAsync(source.Prefix, cancellationToken))
        {
            expected.Remove(manifest.Run);
            confirmed._keys.UnionWith(manifest.Members.Select(m => m.Key).Where(keys.Contains));
            confirmed._documents.UnionWith(
                manifest.Members.Where(m => sessions.Contains(m.Session)).Select(m => (m.Session, m.Generation, m.JsonSha256))
            );
        }
        if (expected.Count > 0)
            confirmed._without = expected.Max();
        return confirmed;
    }

    /// <summary>Why an object has to stay, or null.</summary>
    public string? WhyKept(string key) =>
        _keys.Contains(key)
            ? "a manifest confirms it as an archive: this database was restored to an earlier time, or another copy of it uses the bucket"
        : _unreadable.Count > 0 ? $"manifest {_unreadable[0]} cannot be read, and may confirm it"
        : _without is { } run
            ? $"the manifests of run {run} are not in the bucket although it ended well, so others that confirm it may be missing too"
        : null;

    /// <summary>
    /// Whether a commit confirmed this very document, wherever it lay then: a bucket that was moved to another prefix has other keys.
    /// </summary>
    public bool Has(FoundDocument document) =>
        _documents.Contains((document.SessionId, document.Generation, Convert.ToHexStringLower(document.JsonSha256)));
}
