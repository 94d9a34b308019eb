using System.Text;

namespace Archiver.Worker.Output;

/// <summary>
/// Passes UTF-8 JSON on with DEL and the C1 control characters as escapes: JSON allows them raw in a text, where a terminal takes U+009B
/// for the beginning of a command. The value stays the same.
/// </summary>
internal sealed class PrintableJsonStream(Stream output) : Stream
{
    private const byte Delete = 0x7F;

    /// <summary>First byte of U+0080 to U+00BF; those before U+00A0 are control characters.</summary>
    private const byte Lead = 0xC2;

    private bool _afterLead;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            var special = _afterLead ? 0 : buffer.Span.IndexOfAny(Lead, Delete);
            if (special != 0)
            {
                var plain = special < 0 ? buffer.Length : special;
                await output.WriteAsync(buffer[..plain], cancellationToken);
                buffer = buffer[plain..];
                continue;
            }
            var next = buffer.Span[0];
            buffer = buffer[1..];
            if (_afterLead ? next < 0xA0 : next == Delete)
                await output.WriteAsync(Encoding.ASCII.GetBytes($"\\u{next:x4}"), cancellationToken);
            else if (_afterLead)
                await output.WriteAsync(new[] { Lead, next }, cancellationToken);
            _afterLead = !_afterLead && next == Lead;
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) =>
        WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush() => output.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
