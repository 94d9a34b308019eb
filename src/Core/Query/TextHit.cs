using System.Text.Json.Serialization;

namespace Archiver.Core.Query;

/// <summary>A line of a message that has the text.</summary>
/// <param name="Source">Name of the source.</param>
/// <param name="SessionId">Its session.</param>
/// <param name="Generation">Which archive of it.</param>
/// <param name="User">Whose it is.</param>
/// <param name="Number">Which message of the document, from 1.</param>
/// <param name="Time">When it was written, as it stands in the document; null where no column says so.</param>
/// <param name="Role">Who wrote it; null where no column says so.</param>
/// <param name="Column">The column that has the text.</param>
/// <param name="Line">The line, of a long one what is around the hit.</param>
/// <param name="Start">Where in it the hit begins.</param>
/// <param name="Length">Its characters.</param>
internal sealed record TextHit(
    string Source,
    string SessionId,
    int Generation,
    string? User,
    int Number,
    string? Time,
    string? Role,
    string Column,
    string Line,
    int Start,
    int Length
)
{
    /// <summary>Characters shown before and behind the hit.</summary>
    private const int Around = 80;

    /// <summary>Where in the text the hit begins: lines of one message stand in its order, and none is taken for another.</summary>
    [JsonIgnore]
    public int Place { get; init; }

    /// <summary>Newest first; what has no time comes last.</summary>
    public static IComparer<TextHit> NewestFirst { get; } =
        Comparer<TextHit>.Create(
            (a, b) =>
                string.CompareOrdinal(b.Time, a.Time) is var time and not 0 ? time
                : string.CompareOrdinal(a.SessionId, b.SessionId) is var session and not 0 ? session
                : a.Generation != b.Generation ? a.Generation - b.Generation
                : string.CompareOrdinal(a.Source, b.Source) is var source and not 0 ? source
                : a.Number != b.Number ? a.Number - b.Number
                : string.CompareOrdinal(a.Column, b.Column) is var column and not 0 ? column
                : a.Place - b.Place
        );

    /// <summary>
    /// The lines of a text that have another one, whatever the case of the letters; each once, as where it begins and ends, and its first
    /// place.
    /// </summary>
    public static IEnumerable<(int Begin, int Place, int End)> Lines(string text, string sought)
    {
        for (var at = text.IndexOf(sought, StringComparison.OrdinalIgnoreCase); at >= 0; )
        {
            var begin = text.LastIndexOf('\n', Math.Max(at - 1, 0), Math.Max(at, 1)) is var before and >= 0 && before < at ? before + 1 : 0;
            var end = text.IndexOf('\n', at + sought.Length) is var after and >= 0 ? after : text.Length;
            yield return (begin, at, end);
            at = end < text.Length ? text.IndexOf(sought, end, StringComparison.OrdinalIgnoreCase) : -1;
        }
    }

    /// <summary>The same with one of those lines, of a long one what is around the hit.</summary>
    public TextHit With(string text, (int Begin, int Place, int End) line)
    {
        var (begin, at, end) = line;
        var (from, to) = (Inside(text, Math.Max(begin, at - Around)), Inside(text, Math.Min(end, at + Length + Around)));
        var (head, tail) = (from > begin ? "..." : "", to < end ? "..." : "");
        return this with { Line = $"{head}{text[from..to]}{tail}".TrimEnd('\r'), Start = head.Length + at - from, Place = at };
    }

    // Not between the halves of one character.
    private static int Inside(string text, int at) => at > 0 && at < text.Length && char.IsLowSurrogate(text[at]) ? at - 1 : at;
}
