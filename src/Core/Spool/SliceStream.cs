namespace Archiver.Core.Spool;

/// <summary>The next <paramref name="length"/> bytes of a stream, and its end after them; the source stays the caller's.</summary>
internal sealed class SliceStream(Stream source, long length) : ReadOnlyStream
{
    private long _left = length;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await source.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken);
        _left -= read;
        return read;
    }
}
