using System.Text;

namespace Archiver.Core.Postgres;

/// <summary>
/// The one place where a name becomes SQL text. Names are exact, as the catalog has them; quoting keeps PostgreSQL from folding their case.
/// </summary>
internal static class PgIdentifier
{
    /// <summary>Bytes that PostgreSQL keeps of a name; what is longer it cuts off without an error.</summary>
    public const int MaxBytes = 63;

    /// <summary>A name and a suffix, of which the name is cut where both are too long.</summary>
    public static string Fit(string name, string suffix = "")
    {
        var (bytes, length) = (Encoding.UTF8.GetByteCount(suffix), 0);
        foreach (var rune in name.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > MaxBytes)
                break;
            length += rune.Utf16SequenceLength;
        }
        return name[..length] + suffix;
    }

    /// <summary>The name as a quoted identifier.</summary>
    /// <exception cref="ArgumentException">The name is empty or holds a NUL, which no PostgreSQL identifier can.</exception>
    public static string Quote(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return name.Contains('\0', StringComparison.Ordinal)
            ? throw new ArgumentException("An identifier cannot hold a NUL character.", nameof(name))
            : $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
