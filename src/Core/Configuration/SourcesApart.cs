using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Configuration;

/// <summary>What keeps the sources of one configuration apart: their prefixes in the one bucket, and their tables.</summary>
internal static class SourcesApart
{
    /// <summary>Refuses a source that is not apart from an earlier one.</summary>
    public static void Check(ValueReader read, SourceSettings source, IReadOnlyList<SourceSettings> earlier)
    {
        foreach (var other in earlier)
        {
            if (PrefixProblem(source.Prefix, other.Prefix, Visible.Text(other.Name)) is { } problem)
                read.Problem(nameof(source.Prefix), problem);
            if (SharedTable(source, other) is { } table)
            {
                read.Problem(
                    $"maps {Visible.Text(table)} of the same database as source '{Visible.Text(other.Name)}': holds, pauses and locks of "
                        + "one would not protect it from the other. Make it one source with several policies"
                );
            }
        }
    }

    // A listing of a prefix returns what lies below it too, and who may read one may not read the other.
    private static string? PrefixProblem(string mine, string others, string name) =>
        mine.Length == 0 || others.Length == 0 ? null
        : mine == others ? $"must differ from that of source '{name}', but both are {Visible.Value(mine)}"
        : Below(mine, others) || Below(others, mine)
            ? $"must not lie below or above that of source '{name}' ({Visible.Value(others)}), but is {Visible.Value(mine)}"
        : null;

    private static bool Below(string prefix, string other) => prefix.StartsWith($"{other}/", StringComparison.Ordinal);

    /// <summary>Other spellings of one address are found by the ledger, at the latest.</summary>
    private static string? SharedTable(SourceSettings a, SourceSettings b) =>
        Place(a) is { } place && place == Place(b) ? Tables(a).Intersect(Tables(b)).FirstOrDefault() : null;

    private static IEnumerable<string> Tables(SourceSettings source) =>
        source
            .Map.Children.Select(c => c.Table)
            .Prepend(source.Map.Session.Table)
            .Where(t => t != TableNames.Unknown)
            .Select(t => t.ToString());

    private static (string?, int, string?)? Place(SourceSettings source)
    {
        if (source.ConnectionString.Length == 0)
            return null;
        var text = new NpgsqlConnectionStringBuilder(source.ConnectionString);
        return (text.Host?.ToUpperInvariant(), text.Port, text.Database ?? text.Username);
    }
}
