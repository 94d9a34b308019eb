namespace Archiver.Core.Sources;

/// <summary>
/// Names of tables and columns, as whoever chose them may have written them: <c>chat_messages</c>, <c>ChatMessage</c>, <c>chatmessages</c>.
/// </summary>
internal static class Words
{
    /// <summary>Letters and digits alone, in small letters.</summary>
    public static string Plain(string name) => string.Concat(name.Where(char.IsLetterOrDigit)).ToLowerInvariant();

    /// <summary>The words of a name, in small letters.</summary>
    public static IReadOnlyList<string> Of(string name)
    {
        List<string> words = [];
        var start = 0;
        for (var i = 1; i <= name.Length; i++)
        {
            if (i < name.Length && char.IsLetterOrDigit(name[i]) && !(char.IsUpper(name[i]) && char.IsLower(name[i - 1])))
                continue;
            if (Plain(name[start..i]) is { Length: > 0 } word)
                words.Add(word);
            start = i;
        }
        return words;
    }

    /// <summary>A name in the singular, letters and digits alone.</summary>
    public static string Singular(string name) =>
        Plain(name) switch
        {
            var plain when plain.EndsWith("ies", StringComparison.Ordinal) => $"{plain[..^3]}y",
            var plain when plain.EndsWith("ches", StringComparison.Ordinal) => plain[..^2],
            var plain when plain.Length > 3 && plain[^1] == 's' && plain[^2] is not ('s' or 'u' or 'i') => plain[..^1],
            var plain => plain,
        };

    /// <summary>The points of the longest ending that fits, or none.</summary>
    public static int Points(string singular, IReadOnlyDictionary<string, int> endings) =>
        endings
            .Where(e => singular.EndsWith(e.Key, StringComparison.Ordinal))
            .OrderByDescending(e => e.Key.Length)
            .Select(e => e.Value)
            .FirstOrDefault();
}
