namespace Archiver.Core.Inspection;

/// <summary>What the checks found so far. A finding is a sentence and, where SQL can mend it, the statements that do.</summary>
internal sealed class Findings
{
    /// <summary>Stands between the sentence and its statements.</summary>
    public const string Fix = "Fix it with: ";

    private readonly List<string> _problems = [];
    private readonly List<string> _warnings = [];
    private readonly List<string> _indexes = [];

    public IReadOnlyList<string> Problems => _problems;

    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Statements that make indexes by which batches find their rows.</summary>
    public IReadOnlyList<string> Indexes => _indexes;

    /// <summary>With these nothing would forbid a run.</summary>
    public bool LacksIndexesOnly { get; private set; } = true;

    /// <summary>Something that forbids a run.</summary>
    public void Problem(string sentence, params IEnumerable<string> statements)
    {
        List<string> fixes = [.. statements];
        LacksIndexesOnly &= fixes.Count > 0 && fixes.TrueForAll(IsIndex);
        _problems.Add(Text(sentence, fixes));
    }

    /// <summary>Something that a person should know.</summary>
    public void Warning(string sentence, params IEnumerable<string> statements) => _warnings.Add(Text(sentence, statements));

    private string Text(string sentence, IEnumerable<string> statements)
    {
        statements = [.. statements];
        _indexes.AddRange(statements.Where(IsIndex).Except(_indexes));
        var sql = string.Join(' ', statements.Select(s => s + ";"));
        return sql.Length == 0 ? sentence : $"{sentence} {Fix}{sql}";
    }

    private static bool IsIndex(string statement) => statement.StartsWith("CREATE INDEX ", StringComparison.Ordinal);
}
