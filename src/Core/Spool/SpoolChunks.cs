namespace Archiver.Core.Spool;

/// <summary>Bytes in ranges of an arena's slabs: nothing is copied when they grow.</summary>
internal sealed class SpoolChunks(SpoolArena arena) : IDisposable
{
    private readonly List<(SpoolSlab Slab, int Offset, int Length)> _chunks = [];

    public int Count => _chunks.Count;

    public ReadOnlyMemory<byte> this[int index] => _chunks[index].Slab.Range(_chunks[index].Offset, _chunks[index].Length);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var slab = arena.WithRoom();
            if (Count == 0 || _chunks[^1].Slab != slab || _chunks[^1].Offset + _chunks[^1].Length != slab.Used)
            {
                slab.Use();
                _chunks.Add((slab, slab.Used, 0));
            }
            var count = Math.Min(bytes.Length, slab.Room);
            slab.Append(bytes[..count]);
            _chunks[^1] = _chunks[^1] with { Length = _chunks[^1].Length + count };
            bytes = bytes[count..];
        }
    }

    /// <summary>Copies what there is from the position on; fewer bytes at the end of a chunk, none at the end.</summary>
    public int Read(long position, Span<byte> buffer)
    {
        for (var i = 0; i < Count; i++)
        {
            if (position < _chunks[i].Length)
            {
                var rest = this[i].Span[(int)position..];
                var count = Math.Min(rest.Length, buffer.Length);
                rest[..count].CopyTo(buffer);
                return count;
            }
            position -= _chunks[i].Length;
        }
        return 0;
    }

    public void Dispose()
    {
        foreach (var (slab, _, _) in _chunks)
            slab.Release();
        _chunks.Clear();
    }
}
