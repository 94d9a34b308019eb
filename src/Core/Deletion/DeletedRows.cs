using Archiver.Core.Diagnostics;
using Archiver.Core.Export;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Deletion;

/// <summary>What the server deleted of each session, table by table; of the session table it says the number of rows only.</summary>
internal sealed class DeletedRows
{
    private readonly SourceShape _shape;
    private readonly Dictionary<string, Dictionary<string, Fingerprint>> _found;

    public DeletedRows(SourceShape shape, IEnumerable<string> tables, IEnumerable<(string Table, string Key, Fingerprint Fingerprint)> rows)
    {
        _shape = shape;
        _found = tables.ToDictionary(t => t, _ => new Dictionary<string, Fingerprint>(StringComparer.Ordinal));
        foreach (var (table, key, fingerprint) in rows)
            _found[table].Add(key, fingerprint);
    }

    /// <summary>Rows of all tables.</summary>
    public long Count => _found.Values.Sum(t => t.Values.Sum(f => f.Rows));

    /// <summary>Keys of the sessions of which other versions were deleted in a table than are wanted.</summary>
    public HashSet<string> Differing(IEnumerable<RowTarget> sessions, ChildTable child)
    {
        var found = _found[child.Name];
        return [.. sessions.Where(s => s.Fingerprints[child.Name] != found.GetValueOrDefault(s.Key)).Select(s => s.Key)];
    }

    /// <summary>Keys of the sessions whose row is still there.</summary>
    /// <exception cref="ArchiverException">A key named more rows than one; kind Refused.</exception>
    public HashSet<string> Kept(IReadOnlyCollection<RowTarget> sessions)
    {
        var deleted = _found[SourceMap.SessionName];
        HashSet<string> kept = [.. sessions.Select(s => s.Key).Where(k => !deleted.ContainsKey(k))];
        if (kept.Count == 0 && (deleted.Count != sessions.Count || deleted.Values.Any(f => f.Rows != 1)))
            throw new ArchiverException(
                FailureKind.Refused,
                $"The session key of {_shape.Session.Table} is not unique: the delete hit rows of other sessions. It was rolled back."
            );
        return kept;
    }
}
