using System.Buffers;

namespace Archiver.Core.Spool;

/// <summary>
/// Memory for contents that are written one after the other, such as a batch's documents: each begins where the one before ended, in slabs
/// that grow from small to large, and a slab goes back to the pool with the last content in it. An array of its own for each document was
/// half empty, and outlived the collector's youngest generation: a run held twice the memory for it. One writer at a time; contents may be
/// freed on any thread.
/// </summary>
internal sealed class SpoolArena : IDisposable
{
    private const int First = 16 * 1024;
    private const int Largest = 1024 * 1024;

    private SpoolSlab? _current;

    /// <summary>A slab with room for at least one byte.</summary>
    public SpoolSlab WithRoom()
    {
        if (_current is { Room: > 0 })
            return _current;
        var size = _current is null ? First : Math.Min(Largest, _current.Size * 4);
        _current?.Release();
        return _current = new SpoolSlab(ArrayPool<byte>.Shared.Rent(size));
    }

    /// <summary>Ends writing; what was written stays until its contents are freed.</summary>
    public void Dispose()
    {
        _current?.Release();
        _current = null;
    }
}

/// <summary>One array of a <see cref="SpoolArena"/>; begins with one user, the arena.</summary>
internal sealed class SpoolSlab(byte[] bytes)
{
    private int _users = 1;

    public int Size => bytes.Length;

    /// <summary>Bytes written so far.</summary>
    public int Used { get; private set; }

    public int Room => bytes.Length - Used;

    public ReadOnlyMemory<byte> Range(int offset, int length) => bytes.AsMemory(offset, length);

    public void Append(ReadOnlySpan<byte> source)
    {
        source.CopyTo(bytes.AsSpan(Used));
        Used += source.Length;
    }

    public void Use() => Interlocked.Increment(ref _users);

    /// <summary>The last user gives the array back, wiped: the pool hands it to anybody.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _users) > 0)
            return;
        bytes.AsSpan(0, Used).Clear();
        ArrayPool<byte>.Shared.Return(bytes);
    }
}
