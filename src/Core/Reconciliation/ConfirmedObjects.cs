using Archiver.Core.Manifests;
using Archiver.Core.Sources;
using Archiver.Core.Storage;

namespace Archiver.Core.Reconciliation;

/// <summary>
/// Objects that some commit confirmed, by the manifests in the bucket. A ledger that calls such an object abandoned is not the one that
/// confirmed it: it was restored to an earlier time, or is a physical copy with the same ids beside the production database, in whose
/// tables the rows are long gone. Then the object is an archive, and perhaps the only copy.
/// </summary>
internal sealed class ConfirmedObjects
{
    private readonly HashSet<string> _confirmed;
    private readonly IReadOnlyList<string> _unreadable;

    private ConfirmedObjects(HashSet<string> confirmed, IReadOnlyList<string> unreadable) => (_confirmed, _unreadable) = (confirmed, unreadable);

    /// <summary>Reads every manifest of the source, if there is anything to ask for.</summary>
    public static async Task<ConfirmedObjects> ReadAsync(IArchiveReader store, SourceSettings source, IEnumerable<string> keys, CancellationToken cancellationToken)
    {
        HashSet<string> asked = [.. keys];
        HashSet<string> confirmed = [];
        var reader = new ManifestReader(store);
        if (asked.Count > 0)
        {
            await foreach (var manifest in reader.ReadAllAsync(source.Prefix, cancellationToken).ConfigureAwait(false))
                confirmed.UnionWith(manifest.Members.Select(m => m.Key).Where(asked.Contains));
        }
        return new(confirmed, reader.Unreadable);
    }

    /// <summary>Why an object has to stay, or null.</summary>
    public string? WhyKept(string key) =>
        _confirmed.Contains(key) ? "a manifest confirms it as an archive: this database was restored to an earlier time, or another copy of it uses the bucket"
        : _unreadable.Count > 0 ? $"manifest {_unreadable[0]} cannot be read, and may confirm it"
        : null;
}
