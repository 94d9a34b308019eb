using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Archiver.Core.Upload;

/// <summary>Names of objects, as docs/format.md has them: the one place that makes them.</summary>
internal static partial class ObjectKey
{
    /// <summary>Longest encoded id that stands in a key as it is; keys may have 1,024 bytes, file names 255.</summary>
    public const int MaxIdLength = 200;

    private const string Extension = ".json.gz";

    /// <summary><c>{prefix}/{yyyy}/{MM}/{id}.json.gz</c>, or <c>{id}~{suffix}.json.gz</c>.</summary>
    public static string ForSession(string prefix, string month, string sessionId, string? suffix) =>
        suffix is null
            ? $"{SessionStem(prefix, month, sessionId)}{Extension}"
            : $"{SessionStem(prefix, month, sessionId)}~{suffix}{Extension}";

    /// <summary>What all keys of one session and month begin with; the next character is <c>.</c> or <c>~</c>.</summary>
    public static string SessionStem(string prefix, string month, string sessionId) => $"{prefix}/{month}/{Encode(sessionId)}";

    /// <summary><c>{prefix}/bundles/{yyyy}/{MM}/{run}-{sequence}.jsonl.gz</c>, the nonce, if any, after a tilde.</summary>
    public static string ForBundle(string prefix, DateTimeOffset runTime, Guid run, int sequence, string? nonce)
    {
        var month = runTime.UtcDateTime.ToString("yyyy/MM", CultureInfo.InvariantCulture);
        var name = string.Create(CultureInfo.InvariantCulture, $"{run}-{sequence:D6}");
        return $"{prefix}/bundles/{month}/{name}{(nonce is null ? "" : "~")}{nonce}.jsonl.gz";
    }

    /// <summary>
    /// Whether a key is one of those that are made here for an archive: a listing of a prefix also returns what lies deeper, under another
    /// one's.
    /// </summary>
    public static bool IsArchive(string prefix, string key) =>
        key.StartsWith($"{prefix}/", StringComparison.Ordinal) && BelowPrefix().IsMatch(key.AsSpan(prefix.Length));

    /// <summary>The prefix under which a key was made for an archive; null for any other key.</summary>
    public static string? PrefixOf(string key) => InPrefix().Match(key) is { Success: true } match ? match.Groups["prefix"].Value : null;

    [GeneratedRegex(
        @"^(?<prefix>.+)/(\d{4,}/\d{2}/[^/]+\.json|bundles/\d{4,}/\d{2}/[^/]+\.jsonl)\.gz$",
        RegexOptions.ExplicitCapture | RegexOptions.Singleline
    )]
    private static partial Regex InPrefix();

    [GeneratedRegex(@"^/(\d{4,}/\d{2}/[^/]+\.json|bundles/\d{4,}/\d{2}/[^/]+\.jsonl)\.gz$", RegexOptions.ExplicitCapture)]
    private static partial Regex BelowPrefix();

    /// <summary>
    /// An id as part of a key: everything outside <c>A-Za-z0-9._-</c> percent-encoded, an id that is too long as its hash.
    /// </summary>
    public static string Encode(string id)
    {
        var encoded = new StringBuilder(id.Length);
        foreach (var value in Encoding.UTF8.GetBytes(id))
        {
            if (char.IsAsciiLetterOrDigit((char)value) || value is (byte)'.' or (byte)'_' or (byte)'-')
                encoded.Append((char)value);
            else
                encoded.Append(CultureInfo.InvariantCulture, $"%{value:X2}");
        }
        return encoded.Length <= MaxIdLength
            ? encoded.ToString()
            : $"sha256-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)))}";
    }
}
