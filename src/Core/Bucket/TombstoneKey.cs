using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Archiver.Core.Storage;

namespace Archiver.Core.Bucket;

/// <summary>
/// The key of a prefix's tombstones: random, made by the first erasure, kept in the bucket beside them and nowhere else. Whoever has the
/// ledger, a log or a list of keys learns nothing from a hash; whoever can read the bucket could read the archives anyway.
/// </summary>
internal sealed class TombstoneKey
{
    private const string Format = "archiver.tombstone-key/1";

    private readonly byte[] _secret;

    private TombstoneKey(byte[] secret) => _secret = secret;

    public static TombstoneKey Create() => new(RandomNumberGenerator.GetBytes(32));

    /// <summary>Name of the object that holds it.</summary>
    public static string ObjectKey(string prefix) => $"{Tombstone.Folder(prefix)}key.json.gz";

    /// <summary>Hash of an id, 64 hex digits.</summary>
    public string HashOf(char kind, string source, string id) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(_secret, Encoding.UTF8.GetBytes($"{kind}\0{source}\0{id}")));

    /// <summary>Null when there is none.</summary>
    /// <exception cref="InvalidDataException">The object is damaged.</exception>
    public static async Task<TombstoneKey?> ReadAsync(IArchiveReader store, string prefix, CancellationToken cancellationToken)
    {
        await using var body = await store.OpenAsync(new(ObjectKey(prefix)), cancellationToken);
        if (body is null)
            return null;
        try
        {
            await using var gzip = new GZipStream(body, CompressionMode.Decompress);
            using var json = await JsonDocument.ParseAsync(gzip, cancellationToken: cancellationToken);
            if (
                json.RootElement.GetProperty("format").GetString() == Format
                && json.RootElement.GetProperty("key").GetBytesFromBase64() is { Length: 32 } secret
            )
                return new(secret);
        }
        catch (Exception exception)
            when (exception is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new InvalidDataException("It is not a key of tombstones.", exception);
        }
        throw new InvalidDataException("It is of another format.");
    }

    /// <summary>Its object.</summary>
    public GzipText ToContent() => GzipText.Of($$"""{"format":"{{Format}}","key":"{{Convert.ToBase64String(_secret)}}"}""");
}
