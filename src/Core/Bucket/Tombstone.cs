using System.Globalization;
using System.Text.RegularExpressions;

namespace Archiver.Core.Bucket;

/// <summary>
/// That a session or a user was erased, as the name of a small object in the bucket: a keyed hash and a time, no id. The listing alone
/// tells everything, so thousands of them cost a few requests.
/// </summary>
/// <param name="Kind"><c>s</c> for a session, <c>u</c> for a user.</param>
/// <param name="Hash">Keyed hash of the id, 64 hex digits.</param>
/// <param name="ErasedAt">By the database's clock, whole seconds, rounded up: what existed then is covered, what came later is not.</param>
internal sealed partial record Tombstone(char Kind, string Hash, DateTimeOffset ErasedAt)
{
    public const char Session = 's',
        User = 'u';

    /// <summary>Where the tombstones of a prefix are.</summary>
    public static string Folder(string prefix) => $"{prefix}/.archiver/erased/";

    /// <summary>Name of the object within the folder.</summary>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"{Kind}-{Hash}-{ErasedAt.ToUnixTimeSeconds()}.json.gz");

    /// <summary>The tombstone of that name, or null for any other object in the folder.</summary>
    public static Tombstone? Parse(string name) =>
        Pattern().Match(name) is { Success: true } match
            ? new(
                match.Groups["kind"].Value[0],
                match.Groups["hash"].Value,
                DateTimeOffset.FromUnixTimeSeconds(long.Parse(match.Groups["time"].Value, CultureInfo.InvariantCulture))
            )
            : null;

    [GeneratedRegex(@"^(?<kind>[su])-(?<hash>[0-9a-f]{64})-(?<time>\d{1,11})\.json\.gz$", RegexOptions.ExplicitCapture)]
    private static partial Regex Pattern();
}
