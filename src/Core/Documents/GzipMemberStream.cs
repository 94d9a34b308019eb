using System.Buffers.Binary;
using System.IO.Compression;
using Archiver.Core.Spool;

namespace Archiver.Core.Documents;

/// <summary>
/// Decompresses one gzip member and makes sure of its end. .NET's GZipStream takes a member that lost its last bytes for a complete one and
/// checks no sum then; here the length in the trailer must be there and right, and with a whole trailer the sum has been checked.
/// </summary>
internal sealed class GzipMemberStream : ReadOnlyStream
{
    private readonly Tail _tail;
    private readonly GZipStream _gzip;
    private uint _read;
    private bool _ended;

    /// <param name="member">The compressed bytes, no more; they stay the caller's and are read to their end.</param>
    public GzipMemberStream(Stream member)
    {
        _tail = new Tail(member);
        _gzip = new GZipStream(_tail, CompressionMode.Decompress, leaveOpen: true);
    }

    /// <exception cref="InvalidDataException">The member is damaged or truncated.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await _gzip.ReadAsync(buffer, cancellationToken);
        _read = unchecked(_read + (uint)read);
        if (read > 0 || buffer.IsEmpty || _ended)
            return read;
        await _tail.CopyToAsync(Null, cancellationToken);
        _ended = true;
        return _tail.Length == _read ? 0 : throw new InvalidDataException("The gzip ends too early.");
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _gzip.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Remembers the last four bytes that passed: the length modulo 2^32, at the end of a whole member.</summary>
    private sealed class Tail(Stream source) : ReadOnlyStream
    {
        private readonly byte[] _last = new byte[sizeof(uint)];

        public new uint Length => BinaryPrimitives.ReadUInt32LittleEndian(_last);

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await source.ReadAsync(buffer, cancellationToken);
            if (read >= _last.Length)
            {
                buffer.Span[(read - _last.Length)..read].CopyTo(_last);
            }
            else if (read > 0)
            {
                _last.AsSpan(read).CopyTo(_last);
                buffer.Span[..read].CopyTo(_last.AsSpan(_last.Length - read));
            }
            return read;
        }
    }
}
