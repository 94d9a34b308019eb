using System.Security.Cryptography;
using Archiver.Core.Spool;

namespace Archiver.Core.Upload;

/// <summary>Several contents one after the other as one object; the parts stay their owner's.</summary>
internal sealed class ConcatenatedContent : IObjectContent
{
    private readonly IReadOnlyList<IObjectContent> _parts;

    public ConcatenatedContent(IReadOnlyList<IObjectContent> parts)
    {
        _parts = parts;
        Length = parts.Sum(p => p.Length);
        using var all = OpenRead();
        Sha256 = SHA256.HashData(all);
    }

    public long Length { get; }

    public ReadOnlyMemory<byte> Sha256 { get; }

    public Stream OpenRead() => new PartsStream(_parts);

    /// <summary>Can seek, because a put that failed half-way is sent again from the start.</summary>
    private sealed class PartsStream(IReadOnlyList<IObjectContent> parts) : ReadOnlyStream
    {
        private int _part;
        private long _before;
        private Stream? _open;

        public override bool CanSeek => true;

        public override long Length => parts.Sum(p => p.Length);

        public override long Position
        {
            get => _before + (_open?.Position ?? 0);
            set => Seek(value, SeekOrigin.Begin);
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            while (!buffer.IsEmpty && _part < parts.Count)
            {
                _open ??= parts[_part].OpenRead();
                if (await _open.ReadAsync(buffer, cancellationToken) is var read and > 0)
                    return read;
                await _open.DisposeAsync();
                _open = null;
                _before += parts[_part++].Length;
            }
            return 0;
        }

        public override long Seek(long offset, SeekOrigin origin)
        {
            var target = origin switch
            {
                SeekOrigin.Begin => offset,
                SeekOrigin.Current => Position + offset,
                SeekOrigin.End => Length + offset,
                _ => throw new ArgumentOutOfRangeException(nameof(origin), origin, null),
            };
            ArgumentOutOfRangeException.ThrowIfNegative(target, nameof(offset));
            _open?.Dispose();
            (_open, _part, _before) = (null, 0, 0);
            while (_part < parts.Count && _before + parts[_part].Length <= target)
                _before += parts[_part++].Length;
            if (_part < parts.Count && target > _before)
            {
                _open = parts[_part].OpenRead();
                _open.Position = target - _before;
            }
            return target;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _open?.Dispose();
            base.Dispose(disposing);
        }
    }
}
