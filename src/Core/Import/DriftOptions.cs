using Archiver.Core.Diagnostics;

namespace Archiver.Core.Import;

/// <summary>
/// What a person said about columns that changed since the archive: <c>--map old=new</c>, <c>--drop-column name</c> and <c>--accept-loss
/// name</c>.
/// </summary>
/// <param name="Renamed">
/// New names by old name; the old one may be <c>column</c> or <c>table.column</c>, the table by its name in the map.
/// </param>
/// <param name="Dropped">
/// Columns whose archived values are given up: <c>column</c>, <c>table.column</c>, or <c>table.*</c> for a table that is gone.
/// </param>
/// <param name="Accepted">Columns whose archived values may become what the server's cast to the type of today makes of them.</param>
internal sealed record DriftOptions(
    IReadOnlyDictionary<string, string> Renamed,
    IReadOnlySet<string> Dropped,
    IReadOnlySet<string> Accepted
)
{
    public static DriftOptions None { get; } = new(new Dictionary<string, string>(), new HashSet<string>(), new HashSet<string>());

    /// <summary>Reads the values of the options.</summary>
    /// <exception cref="ArchiverException">One is not <c>old=new</c>, or names a column twice.</exception>
    public static DriftOptions Parse(IEnumerable<string> maps, IEnumerable<string> dropped, IEnumerable<string> accepted)
    {
        Dictionary<string, string> renamed = new(StringComparer.Ordinal);
        foreach (var map in maps)
        {
            var parts = map.Split('=');
            if (parts.Length != 2 || parts[0].Length == 0 || parts[1].Length == 0 || !renamed.TryAdd(parts[0], parts[1]))
                throw new ArchiverException(
                    FailureKind.Configuration,
                    $"--map '{map}' is not old=new, such as content=body or messages.content=body, each old name once."
                );
        }
        return new(renamed, dropped.ToHashSet(StringComparer.Ordinal), accepted.ToHashSet(StringComparer.Ordinal));
    }

    /// <summary>What a document's column is called today.</summary>
    public string NewName(string table, string column) =>
        Renamed.TryGetValue($"{table}.{column}", out var name) || Renamed.TryGetValue(column, out name) ? name : column;

    /// <summary>Whether the values of a document's column are given up.</summary>
    public bool IsDropped(string table, string column) =>
        Dropped.Contains($"{table}.{column}") || Dropped.Contains(column) || Dropped.Contains($"{table}.*");

    /// <summary>Whether a document's column may lose something in its type of today.</summary>
    public bool IsAccepted(string table, string column) => Accepted.Contains($"{table}.{column}") || Accepted.Contains(column);
}
