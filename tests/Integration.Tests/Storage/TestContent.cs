using System.Security.Cryptography;
using Archiver.Core.Spool;
using Archiver.Core.Storage;

namespace Archiver.Integration.Tests.Storage;

/// <summary>Bytes to store, and metadata for them.</summary>
internal sealed class TestContent(byte[] bytes) : IObjectContent
{
    public byte[] Bytes => bytes;

    public long Length => bytes.Length;

    public ReadOnlyMemory<byte> Sha256 { get; } = SHA256.HashData(bytes);

    public static TestContent Random(int length) => new(RandomNumberGenerator.GetBytes(length));

    public static ObjectMetadata NewAttempt() =>
        new()
        {
            LedgerId = "ledger-1",
            SystemId = "7301",
            Source = "main söurce",
            Run = "run-1",
            Attempt = Guid.NewGuid().ToString("N"),
        };

    public static async Task<byte[]> ReadAsync(Stream? stream, CancellationToken cancellationToken)
    {
        Assert.NotNull(stream);
        await using var _ = stream;
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy, cancellationToken);
        return copy.ToArray();
    }

    public Stream OpenRead() => new MemoryStream(bytes, writable: false);
}
