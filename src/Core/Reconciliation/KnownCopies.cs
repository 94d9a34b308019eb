using Archiver.Core.Documents;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Reconciliation;

/// <summary>
/// Tells objects without a ledger row that are, byte for byte, objects which the ledger has elsewhere: the bucket or prefix was moved or
/// copied. They are no new archives, and adopted they would make the recorded ones look superfluous.
/// </summary>
internal sealed class KnownCopies(NpgsqlConnection connection, SourceSettings source, string location)
{
    private const string Find = $"""
        SELECT n.key, min(o.location || ': ' || o.key), array_agg(o.key) FILTER (WHERE o.location = $4)
        FROM unnest($1, $2) AS n (key, sha256)
        JOIN archiver.objects AS o ON o.sha256 = n.sha256
        WHERE o.source = $3 AND o.state IN ('pending', 'stored', 'abandoned') AND {RemovedObjects.IsNot}
          AND (o.location, o.key) <> ($4, n.key)
        GROUP BY n.key
        """;

    /// <summary>Of which objects the ledger has the same bytes at another place.</summary>
    public List<SkippedObject> Found { get; } = [];

    /// <summary>Keys of this very store at which the ledger has such an object, and where its bytes lie too.</summary>
    public Dictionary<string, string> Places { get; } = new(StringComparer.Ordinal);

    /// <summary>The objects without those copies.</summary>
    public async Task<IReadOnlyList<FoundObject>> WithoutAsync(IReadOnlyList<FoundObject> objects, CancellationToken cancellationToken)
    {
        if (objects.Count == 0)
            return objects;
        var copies = (
            await connection.QueryAsync(
                Find,
                row => (Key: row.GetString(0), Place: row.GetString(1), Here: row.IsDBNull(2) ? [] : row.GetFieldValue<string[]>(2)),
                cancellationToken,
                PgParameter.Texts(objects.Select(o => o.Key)),
                PgParameter.BytesArray(objects.Select(o => o.Sha256)),
                PgParameter.Text(source.Name),
                PgParameter.Text(location)
            )
        ).ToDictionary(c => c.Key, StringComparer.Ordinal);
        Found.AddRange(copies.Values.Select(c => new SkippedObject(c.Key, $"the ledger has the same object at {c.Place}")));
        foreach (var (copy, key) in copies.Values.SelectMany(c => c.Here.Select(k => (c.Key, k))))
            Places[key] = copy;
        return [.. objects.Where(o => !copies.ContainsKey(o.Key))];
    }
}
