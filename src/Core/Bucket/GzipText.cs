using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Archiver.Core.Spool;

namespace Archiver.Core.Bucket;

/// <summary>A short text as the gzipped content of an object.</summary>
internal sealed class GzipText : IObjectContent
{
    private readonly byte[] _bytes;

    private GzipText(byte[] bytes) => _bytes = bytes;

    public long Length => _bytes.Length;

    public ReadOnlyMemory<byte> Sha256 => SHA256.HashData(_bytes);

    public static GzipText Of(string text)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Optimal, leaveOpen: true))
            gzip.Write(Encoding.UTF8.GetBytes(text));
        return new(buffer.ToArray());
    }

    public Stream OpenRead() => new MemoryStream(_bytes, writable: false);
}
