using System.Buffers;
using System.Security.Cryptography;

namespace Archiver.Core.Import;

/// <summary>
/// Takes the COPY text of rows piece by piece, passes it on and makes the digest: however long a value is, no second one of it stands in
/// memory.
/// </summary>
/// <param name="copy">Takes what is written as well, and a line break after each row; null for none.</param>
internal sealed class RowSink(Stream? copy) : IBufferWriter<byte>, IDisposable
{
    private const int Length = 64 * 1024;

    private readonly byte[] _buffer = new byte[Length];
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private int _used;
    private bool _passedOn;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        MakeRoom(sizeHint);
        return _buffer.AsMemory(_used);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        MakeRoom(sizeHint);
        return _buffer.AsSpan(_used);
    }

    public void Advance(int count) => _used += count;

    /// <summary>Ends a row and returns the digest with it.</summary>
    public RowDigest End(RowDigest digest)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        if (_passedOn)
        {
            PassOn();
            _sha256.GetHashAndReset(hash);
        }
        else
        {
            SHA256.HashData(_buffer.AsSpan(0, _used), hash);
            copy?.Write(_buffer.AsSpan(0, _used));
        }
        copy?.Write("\n"u8);
        (_used, _passedOn) = (0, false);
        return digest.Add(hash);
    }

    public void Dispose()
    {
        _buffer.AsSpan().Clear();
        _sha256.Dispose();
    }

    private void MakeRoom(int sizeHint)
    {
        if (Length - _used < Math.Max(sizeHint, 1))
            PassOn();
    }

    private void PassOn()
    {
        _sha256.AppendData(_buffer, 0, _used);
        copy?.Write(_buffer.AsSpan(0, _used));
        (_used, _passedOn) = (0, true);
    }
}
