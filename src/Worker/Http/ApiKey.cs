using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace Archiver.Worker.Http;

/// <summary>The key of the HTTP routes, kept as its hash, so that a comparison takes the same time whatever the guess looks like.</summary>
internal sealed class ApiKey
{
    private readonly byte[]? _hash;

    /// <param name="key">Null: there is none, and nobody has it.</param>
    public ApiKey(string? key) => _hash = key is null ? null : Hash(key);

    public bool IsConfigured => _hash is not null;

    /// <summary>Whether an Authorization header carries the key: <c>Bearer</c>, or <c>Basic</c> with any user name and the key as password.</summary>
    public bool Opens(string? authorization, out bool basic)
    {
        basic = false;
        if (_hash is null || !AuthenticationHeaderValue.TryParse(authorization, out var header) || header.Parameter is not { Length: > 0 } parameter)
            return false;
        basic = header.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase);
        var key = basic ? Password(parameter) : header.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase) ? parameter : null;
        return key is not null && CryptographicOperations.FixedTimeEquals(Hash(key), _hash);
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

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
