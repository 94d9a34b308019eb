using System.Security.Cryptography;

namespace Archiver.Core.Spool;

/// <summary>Passes a stream through and remembers the length and SHA-256 of all that was read; the source stays the caller's.</summary>
internal sealed class HashingStream(Stream source) : ReadOnlyStream
{
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Bytes read so far.</summary>
    public long BytesRead { get; private set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await source.ReadAsync(buffer, cancellationToken);
        Take(buffer.Span[..read]);
        return read;
    }

    /// <summary>SHA-256 of all bytes read; ends the hash.</summary>
    public byte[] GetHash() => _sha256.GetHashAndReset();

    /// <summary>Whether all bytes read are as many as these, and have this SHA-256; ends the hash.</summary>
    public bool Was(long length, ReadOnlySpan<byte> sha256) => BytesRead == length && sha256.SequenceEqual(GetHash());

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _sha256.Dispose();
        base.Dispose(disposing);
    }

    private void Take(ReadOnlySpan<byte> bytes)
    {
        _sha256.AppendData(bytes);
        BytesRead += bytes.Length;
    }
}
