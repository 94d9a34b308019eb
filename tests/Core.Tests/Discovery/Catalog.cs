using Archiver.Core.Discovery;
using Archiver.Core.Settings;

namespace Archiver.Core.Tests.Discovery;

/// <summary>
/// Facts of a database, a table a line: <c>chats(id uuid pk, title text, updated_at timestamptz!)</c>. <c>!</c> is NOT NULL, <c>pk</c> and
/// <c>unique</c> are keys, <c>-> chats cascade</c> a foreign key onto its primary key. A schema stands before the name; a line that begins
/// with <c>-</c> cannot be read.
/// </summary>
internal static class Catalog
{
    private static readonly Dictionary<string, string> Types = new()
    {
        ["timestamptz"] = "timestamp with time zone",
        ["timestamp"] = "timestamp without time zone",
        ["int"] = "integer",
        ["varchar"] = "character varying",
        ["double"] = "double precision",
    };

    public static DatabaseFacts Of(params string[] tables)
    {
        List<FoundTable> found = [];
        List<FoundKey> keys = [];
        foreach (var line in tables)
        {
            var (name, readable) = (Name(line[..line.IndexOf('(', StringComparison.Ordinal)].TrimStart('-', ' ')), line[0] != '-');
            var columns = line[(line.IndexOf('(', StringComparison.Ordinal) + 1)..line.LastIndexOf(')')]
                .Split(", ")
                .Select(c => c.Split(' '))
                .ToList();
            foreach (var column in columns.Where(c => c.Contains("->")))
            {
                var to = found.First(t => t.Table == Name(column[Array.IndexOf(column, "->") + 1]));
                keys.Add(
                    new(
                        $"{name.Name}_{column[0]}_fkey",
                        name,
                        [column[0]],
                        to.Table,
                        [to.PrimaryKey[0]],
                        column[^1] switch
                        {
                            "cascade" => 'c',
                            "null" => 'n',
                            _ => 'a',
                        }
                    )
                );
            }
            found.Add(
                new()
                {
                    Oid = (uint)found.Count + 1,
                    Table = name,
                    Rows = 100,
                    Bytes = 8192,
                    Readable = readable,
                    RowSecurity = false,
                    Columns = [.. columns.Select(c => new FoundColumn(c[0], Type(c), Type(c), c[1].EndsWith('!') || c.Contains("pk")))],
                    Unique =
                    [
                        .. columns.Where(c => c.Contains("pk")).Select(c => c[0]).ToList() is { Count: > 0 } primary
                            ? new IReadOnlyList<string>[] { primary }
                            : [],
                        .. columns.Where(c => c.Contains("unique")).Select(c => new[] { c[0] }),
                    ],
                    HasPrimaryKey = columns.Exists(c => c.Contains("pk")),
                    Sequences = [],
                }
            );
        }
        return new()
        {
            Database = "chat",
            Role = "me",
            IsSuperuser = false,
            HasLedger = false,
            Tables = found,
            Keys = keys,
        };
    }

    /// <summary>What a sample of a column's values said.</summary>
    public static DatabaseFacts With(this DatabaseFacts facts, string table, string column, ValueSample sample) =>
        facts with
        {
            Values = new Dictionary<(TableName, string), ValueSample>(facts.Values) { [(Name(table), column)] = sample },
        };

    public static Guess Guess(this DatabaseFacts facts, GivenAnswers? given = null) => new Proposer(facts, given ?? new()).Make();

    public static TableName Name(string text) => TableName.TryParse(text, out var name) ? name! : throw new ArgumentException(text);

    private static string Type(string[] column) => Types.GetValueOrDefault(column[1].TrimEnd('!'), column[1].TrimEnd('!'));
}
