using System.Runtime.CompilerServices;
using System.Text;

namespace Archiver.Core.Configuration;

/// <summary>The start of object keys. A bad one is refused, never trimmed: objects must lie where the operator thinks.</summary>
internal static class KeyPrefix
{
    /// <summary>S3 keys end at 1,024 bytes; the rest belongs to date, id and generation.</summary>
    private const int LongestBytes = 512;

    private const string Reserved = ".archiver";

    /// <summary>The prefix, or null when it is absent or refused.</summary>
    public static string? Read(ValueReader read, string? raw, [CallerArgumentExpression(nameof(raw))] string key = "")
    {
        if (read.Text(raw, key) is not { } prefix)
            return null;
        if (Limit(prefix) is not { } limit)
            return prefix;
        read.Bad(key, prefix, limit);
        return null;
    }

    private static string? Limit(string prefix)
    {
        if (prefix.StartsWith('/') || prefix.EndsWith('/'))
            return "without slashes at its ends";
        var segments = prefix.Split('/');
        if (segments.Contains(""))
            return "without empty segments";
        if (segments.Any(s => s is "." or ".."))
            return "without the segments . and ..";
        if (segments.Contains(Reserved))
            return $"without the segment {Reserved}, where the archiver keeps its own objects";
        if (prefix.Any(char.IsControl))
            return "without control characters";
        if (prefix.Contains('\\', StringComparison.Ordinal))
            return "separated by / and not by \\";
        return Encoding.UTF8.GetByteCount(prefix) > LongestBytes ? "at most 512 bytes" : null;
    }
}
