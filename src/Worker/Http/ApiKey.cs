using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Archiver.Core.Settings;

namespace Archiver.Worker.Http;

/// <summary>
/// The keys of the HTTP routes, kept as their hashes, so that a comparison takes the same time whatever the guess looks like.
/// </summary>
internal sealed class ApiKey(HttpSettings settings)
{
    private readonly byte[]? _hash = Hash(settings.ApiKey),
        _metrics = Hash(settings.MetricsKey);

    /// <summary>Whether there is a key that opens such a route; without one it is off.</summary>
    /// <param name="metrics">It is the route of the metrics, which has a key of its own beside the one for everything.</param>
    public bool IsConfigured(bool metrics) => _hash is not null || (metrics && _metrics is not null);

    /// <summary>
    /// Whether an Authorization header carries a key for such a route: <c>Bearer</c>, or <c>Basic</c> with any user name and the key as
    /// password.
    /// </summary>
    public bool Opens(string? authorization, bool metrics, out bool basic)
    {
        basic = false;
        if (!AuthenticationHeaderValue.TryParse(authorization, out var header) || header.Parameter is not { Length: > 0 } parameter)
            return false;
        basic = header.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase);
        var key =
            basic ? Password(parameter)
            : header.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase) ? parameter
            : null;
        return Hash(key) is { } hash && (Is(_hash) | (metrics && Is(_metrics)));

        bool Is(byte[]? known) => known is not null && CryptographicOperations.FixedTimeEquals(hash, known);
    }

    private static string? Password(string parameter)
    {
        var bytes = new byte[parameter.Length];
        if (!Convert.TryFromBase64String(parameter, bytes, out var length))
            return null;
        var text = Encoding.UTF8.GetString(bytes.AsSpan(0, length));
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? null : text[(colon + 1)..];
    }

    private static byte[]? Hash(string? key) => key is null ? null : SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
