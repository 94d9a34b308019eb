using System.Buffers;

namespace Archiver.Core.Storage;

/// <summary>
/// Bytes in pooled arrays that grow from small to large: a document of 2 KB takes one array of 4 KiB, a large one few of 256 KiB,
/// and nothing is copied when it grows.
/// </summary>
internal sealed class SpoolChunks : IDisposable
{
    private const int First = 4 * 1024;
    private const int Largest = 256 * 1024;

    private readonly List<byte[]> _chunks = [];
    private readonly List<int> _lengths = [];

    public long Length { get; private set; }

    public int Count => _chunks.Count;

    public ReadOnlyMemory<byte> this[int index] => _chunks[index].AsMemory(0, _lengths[index]);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (Count == 0 || _lengths[^1] == _chunks[^1].Length)
            {
                _chunks.Add(ArrayPool<byte>.Shared.Rent(Count == 0 ? First : Math.Min(Largest, _chunks[^1].Length * 4)));
                _lengths.Add(0);
            }
            var used = _lengths[^1];
            var count = Math.Min(bytes.Length, _chunks[^1].Length - used);
            bytes[..count].CopyTo(_chunks[^1].AsSpan(used));
            _lengths[^1] = used + count;
            Length += count;
            bytes = bytes[count..];
        }
    }

    /// <summary>Copies what there is from the position on; fewer bytes at the end of a chunk, none at the end.</summary>
    public int Read(long position, Span<byte> buffer)
    {
        for (var i = 0; i < Count; i++)
        {
            if (position < _lengths[i])
            {
                var rest = this[i].Span[(int)position..];
                var count = Math.Min(rest.Length, buffer.Length);
                rest[..count].CopyTo(buffer);
                return count;
            }
            position -= _lengths[i];
        }
        return 0;
    }

    /// <summary>Gives the arrays back, wiped: the pool hands them to anybody.</summary>
    public void Dispose()
    {
        for (var i = 0; i < Count; i++)
        {
            _chunks[i].AsSpan(0, _lengths[i]).Clear();
            ArrayPool<byte>.Shared.Return(_chunks[i]);
        }
        _chunks.Clear();
        _lengths.Clear();
        Length = 0;
    }
}
