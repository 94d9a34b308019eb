namespace Archiver.Core.Inspection;

/// <summary>What the checks found so far. A finding is a sentence and, where SQL can mend it, the statements that do.</summary>
internal sealed class Findings
{
    /// <summary>Stands between the sentence and its statements.</summary>
    public const string Fix = "Fix it with: ";

    private readonly List<string> _problems = [];
    private readonly List<string> _warnings = [];

    public IReadOnlyList<string> Problems => _problems;

    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Something that forbids a run.</summary>
    public void Problem(string sentence, params IEnumerable<string> statements) => _problems.Add(Text(sentence, statements));

    /// <summary>Something that a person should know.</summary>
    public void Warning(string sentence, params IEnumerable<string> statements) => _warnings.Add(Text(sentence, statements));

    private static string Text(string sentence, IEnumerable<string> statements)
    {
        var sql = string.Join(' ', statements.Select(s => s + ";"));
        return sql.Length == 0 ? sentence : $"{sentence} {Fix}{sql}";
    }
}
