using Archiver.Core.Postgres;

namespace Archiver.Core.Documents;

/// <summary>
/// Decompresses members that are small enough to be held whole, as nearly all are: faster than as a stream. For one thread at a time.
/// </summary>
/// <param name="library">Decompresses them; null where the machine has it not, then .NET does.</param>
internal sealed class MemberReader(Libdeflate? library) : IDisposable
{
    /// <summary>Bytes of a document that is held.</summary>
    private const int Most = 1 << 20;

    private readonly Libdeflate.Decompressor? _decompressor = library?.ForReading();
    private byte[] _gzip = [],
        _json = [];

    public MemberReader()
        : this(Libdeflate.Installed) { }

    /// <summary>Whether a member of these lengths is held; a larger one is read as a stream.</summary>
    public static bool Holds(long length, long jsonLength) => length <= Most && jsonLength <= Most;

    /// <summary>Reads a member and returns its document, valid until the next call.</summary>
    /// <param name="stream">Stands at the member.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="jsonLength">What they must become.</param>
    /// <exception cref="InvalidDataException">They are no whole member, or become something else.</exception>
    public ArraySegment<byte> Read(Stream stream, long length, long jsonLength)
    {
        var gzip = Room(ref _gzip, length);
        if (stream.ReadAtLeast(gzip, gzip.Count, throwOnEndOfStream: false) < gzip.Count)
            throw new InvalidDataException("The gzip ends too early.");
        return Decompress(gzip, jsonLength);
    }

    /// <summary>Decompresses a member, valid until the next call.</summary>
    /// <exception cref="InvalidDataException">It is no whole member, or becomes something else than that many bytes.</exception>
    public ArraySegment<byte> Decompress(ArraySegment<byte> gzip, long jsonLength)
    {
        var json = Room(ref _json, jsonLength);
        if (!(_decompressor is null ? TryDecompress(gzip, json) : _decompressor.TryDecompress(gzip, json)))
            throw new InvalidDataException("The gzip is damaged, or holds something else.");
        return json;
    }

    public void Dispose()
    {
        _decompressor?.Dispose();
        LargeBuffer.Return(_gzip);
        LargeBuffer.Return(_json);
        (_gzip, _json) = ([], []);
    }

    private static bool TryDecompress(ArraySegment<byte> gzip, ArraySegment<byte> json)
    {
        using var member = new MemoryStream(gzip.Array!, gzip.Offset, gzip.Count, writable: false);
        using var stream = new GzipMemberStream(member);
        return stream.ReadAtLeast(json, json.Count, throwOnEndOfStream: false) == json.Count && stream.Read(new byte[1]) == 0;
    }

    private static ArraySegment<byte> Room(ref byte[] buffer, long length)
    {
        if (buffer.Length < length)
        {
            LargeBuffer.Return(buffer);
            buffer = LargeBuffer.Rent((int)length);
        }
        return new(buffer, 0, (int)length);
    }
}
