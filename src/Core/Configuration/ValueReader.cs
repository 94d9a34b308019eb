using System.Globalization;
using System.Runtime.CompilerServices;

namespace Archiver.Core.Configuration;

/// <summary>
/// Converts the raw values of one section. Absent stays null, so that callers write <c>read.Count(Rows) ?? defaults.Rows</c>; a bad
/// value becomes a problem and null. The key is taken from the argument's own text, so a path in a message cannot name another key.
/// </summary>
internal sealed class ValueReader(Problems problems, string path)
{
    /// <summary>Longest age: beyond it a cut-off leaves the calendar, and every run would fail.</summary>
    public static readonly TimeSpan LongestAge = TimeSpan.FromDays(1000 * 365);

    /// <summary>Longest wait: PostgreSQL's timeouts and .NET's timers are milliseconds in 32 bits.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromDays(24);

    public ValueReader Section(string key) => new(problems, PathOf(key));

    /// <summary>Full path of a key of this section.</summary>
    public string PathOf(string key) => $"{path}:{key}";

    /// <summary>Reports a problem of a key of this section.</summary>
    public void Problem(string key, string text) => problems.Add(PathOf(key), text);

    /// <summary>Reports a problem of this section itself.</summary>
    public void Problem(string text) => problems.Add(path, text);

    /// <summary>Reports a required value that is absent; the empty text lets reading go on to the other problems.</summary>
    public string Missing(string key, string text = "is required")
    {
        problems.AddMissing(PathOf(key), text);
        return "";
    }

    /// <summary>Text that is given must say something.</summary>
    public string? Text(string? raw, [CallerArgumentExpression(nameof(raw))] string key = "")
    {
        if (raw is null)
            return null;
        if (string.IsNullOrWhiteSpace(raw))
            Problem(Last(key), "must not be empty");
        else if (raw.Contains('\0', StringComparison.Ordinal))
            Problem(Last(key), "must not hold a NUL character");
        else
            return raw;
        return null;
    }

    /// <summary>A column of a role: the preset's where nothing is stated, none where an empty text or null is.</summary>
    public string? Role(string? raw, string? preset, [CallerArgumentExpression(nameof(raw))] string key = "") =>
        raw is "" ? null : Text(raw, key) ?? preset;

    /// <summary>Text that is never shown. A line break or another control character in it is a mistake of copying.</summary>
    public string? Secret(string? raw, [CallerArgumentExpression(nameof(raw))] string key = "")
    {
        var text = Text(raw, key);
        if (text is null || !text.Any(char.IsControl))
            return text;
        Problem(Last(key), "must not hold a line break or another control character (value not shown)");
        return null;
    }

    /// <summary>Texts that are given must say something, each once.</summary>
    public IReadOnlyList<string>? Texts(string[]? raw, [CallerArgumentExpression(nameof(raw))] string key = "")
    {
        if (raw is null)
            return null;
        for (var i = 0; i < raw.Length; i++)
        {
            if (string.IsNullOrWhiteSpace(raw[i]))
                Problem(string.Create(CultureInfo.InvariantCulture, $"{Last(key)}:{i}"), "must not be empty");
            else if (raw[i].Contains('\0', StringComparison.Ordinal))
                Problem(string.Create(CultureInfo.InvariantCulture, $"{Last(key)}:{i}"), "must not hold a NUL character");
            else if (Array.IndexOf(raw, raw[i]) < i)
                Problem(string.Create(CultureInfo.InvariantCulture, $"{Last(key)}:{i}"), $"must not repeat {Visible.Value(raw[i])}");
        }
        return raw;
    }

    /// <summary>A size above zero.</summary>
    public long? Size(string? raw, [CallerArgumentExpression(nameof(raw))] string key = "")
    {
        if (raw is null)
            return null;
        if (!ByteSize.TryParse(raw, out var bytes))
            Bad(key, raw, ByteSize.Form);
        else if (bytes == 0)
            Bad(key, raw, "above zero");
        else
            return bytes;
        return null;
    }

    /// <summary>A whole number above zero.</summary>
    public int? Count(string? raw, [CallerArgumentExpression(nameof(raw))] string key = "")
    {
        if (raw is null)
            return null;
        if (int.TryParse(raw, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0)
            return number;
        Bad(key, raw, "a whole number from 1 to 2147483647");
        return null;
    }

    /// <summary>Any whole number.</summary>
    public int? Number(string? raw, [CallerArgumentExpression(nameof(raw))] string key = "")
    {
        if (raw is null)
            return null;
        if (int.TryParse(raw, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            return number;
        Bad(key, raw, "a whole number");
        return null;
    }

    /// <summary>A share above 0 and at most 1.</summary>
    public double? Share(string? raw, [CallerArgumentExpression(nameof(raw))] string key = "")
    {
        if (raw is null)
            return null;
        const NumberStyles Plain = NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (double.TryParse(raw, Plain, CultureInfo.InvariantCulture, out var share) && share is > 0 and <= 1)
            return share;
        Bad(key, raw, "a number above 0 and at most 1, such as 0.25");
        return null;
    }

    public bool? Flag(string? raw, [CallerArgumentExpression(nameof(raw))] string key = "")
    {
        if (raw is null)
            return null;
        if (raw.Equals("true", StringComparison.OrdinalIgnoreCase))
            return true;
        if (raw.Equals("false", StringComparison.OrdinalIgnoreCase))
            return false;
        Bad(key, raw, "true or false");
        return null;
    }

    /// <summary>One of the names of an enum, in any case; its numbers are not names.</summary>
    public T? Choice<T>(string? raw, [CallerArgumentExpression(nameof(raw))] string key = "")
        where T : struct, Enum
    {
        if (raw is null)
            return null;
        var names = Enum.GetNames<T>();
        if (names.FirstOrDefault(n => n.Equals(raw, StringComparison.OrdinalIgnoreCase)) is { } name)
            return Enum.Parse<T>(name);
        Bad(key, raw, $"one of {string.Join(", ", names)}");
        return null;
    }

    /// <summary>Reports a value: the limit, then what was seen.</summary>
    public void Bad(string key, string raw, string limit) => Problem(Last(key), $"must be {limit}, but is {Visible.Value(raw)}");

    private static string Last(string expression) => expression[(expression.LastIndexOf('.') + 1)..];
}
