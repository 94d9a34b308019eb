using System.IO.Compression;
using System.Runtime.InteropServices;

namespace Archiver.Core.Documents;

/// <summary>
/// The library libdeflate, where the machine has it: plain gzip as System.IO.Compression makes it, in half the time or less, of what lies
/// whole in memory (docs/adr/0016-libdeflate.md).
/// </summary>
internal sealed unsafe class Libdeflate
{
    private readonly delegate* unmanaged<int, nint> _allocate;
    private readonly delegate* unmanaged<nint, void> _free;
    private readonly delegate* unmanaged<nint, nuint, nuint> _bound;
    private readonly delegate* unmanaged<nint, byte*, nuint, byte*, nuint, nuint> _compress;
    private readonly delegate* unmanaged<nint> _allocateReader;
    private readonly delegate* unmanaged<nint, void> _freeReader;
    private readonly delegate* unmanaged<nint, byte*, nuint, byte*, nuint, nuint*, nuint*, int> _decompress;

    private Libdeflate(nint library)
    {
        _allocate = (delegate* unmanaged<int, nint>)NativeLibrary.GetExport(library, "libdeflate_alloc_compressor");
        _free = (delegate* unmanaged<nint, void>)NativeLibrary.GetExport(library, "libdeflate_free_compressor");
        _bound = (delegate* unmanaged<nint, nuint, nuint>)NativeLibrary.GetExport(library, "libdeflate_gzip_compress_bound");
        _compress = (delegate* unmanaged<nint, byte*, nuint, byte*, nuint, nuint>)
            NativeLibrary.GetExport(library, "libdeflate_gzip_compress");
        _allocateReader = (delegate* unmanaged<nint>)NativeLibrary.GetExport(library, "libdeflate_alloc_decompressor");
        _freeReader = (delegate* unmanaged<nint, void>)NativeLibrary.GetExport(library, "libdeflate_free_decompressor");
        _decompress = (delegate* unmanaged<nint, byte*, nuint, byte*, nuint, nuint*, nuint*, int>)
            NativeLibrary.GetExport(library, "libdeflate_gzip_decompress_ex");
    }

    /// <summary>That of this machine, beside the executable or among the system's libraries; null where there is none.</summary>
    public static Libdeflate? Installed { get; } = Load("libdeflate.so.0");

    /// <summary>A library by its file's name; null where there is none. It stays loaded.</summary>
    public static Libdeflate? Load(string name) =>
        NativeLibrary.TryLoad(Path.Combine(AppContext.BaseDirectory, name), out var library) || NativeLibrary.TryLoad(name, out library)
            ? new(library)
            : null;

    /// <summary>
    /// A compressor of this level; null for levels that are System.IO.Compression's. <c>Fastest</c> is: at its price, libdeflate has
    /// nothing. Its level 1 takes half of what <c>Optimal</c> took and makes the objects 3 to 5 % larger; its level 9 is no slower than
    /// <c>SmallestSize</c> was, and 1 % smaller.
    /// </summary>
    public Compressor? OfLevel(CompressionLevel level) =>
        level switch
        {
            CompressionLevel.Optimal => new(this, 1),
            CompressionLevel.SmallestSize => new(this, 9),
            _ => null,
        };

    /// <summary>A decompressor, for one thread at a time.</summary>
    public Decompressor ForReading() => new(this);

    /// <summary>Decompresses one gzip member after the other; for one thread at a time.</summary>
    internal sealed class Decompressor : IDisposable
    {
        private readonly Libdeflate _library;
        private nint _state;

        internal Decompressor(Libdeflate library)
        {
            _library = library;
            _state = library._allocateReader();
            if (_state == 0)
                throw new InvalidOperationException("libdeflate got no memory for a decompressor.");
        }

        /// <summary>
        /// Whether <paramref name="gzip"/> is one whole member with a right sum, and fills <paramref name="output"/> exactly.
        /// </summary>
        public bool TryDecompress(ReadOnlySpan<byte> gzip, Span<byte> output)
        {
            ObjectDisposedException.ThrowIf(_state == 0, this);
            nuint read,
                written;
            fixed (
                byte* from = gzip,
                    to = output
            )
            {
                var result = _library._decompress(_state, from, (nuint)gzip.Length, to, (nuint)output.Length, &read, &written);
                return result == 0 && read == (nuint)gzip.Length && written == (nuint)output.Length;
            }
        }

        public void Dispose()
        {
            if (_state != 0)
                _library._freeReader(_state);
            _state = 0;
        }
    }

    /// <summary>Makes one gzip member after the other; for one thread at a time.</summary>
    internal sealed class Compressor : IDisposable
    {
        private readonly Libdeflate _library;
        private byte[] _output = [];
        private nint _state;

        internal Compressor(Libdeflate library, int level)
        {
            _library = library;
            _state = library._allocate(level);
            if (_state == 0)
                throw new InvalidOperationException("libdeflate got no memory for a compressor.");
        }

        /// <summary>The whole of <paramref name="input"/> as one gzip member; valid until the next call.</summary>
        public ReadOnlySpan<byte> Compress(ReadOnlySpan<byte> input)
        {
            ObjectDisposedException.ThrowIf(_state == 0, this);
            var bound = (int)_library._bound(_state, (nuint)input.Length);
            if (_output.Length < bound)
                _output = GC.AllocateUninitializedArray<byte>(Math.Max(bound, 64 * 1024));
            fixed (
                byte* from = input,
                    to = _output
            )
            {
                var length = (int)_library._compress(_state, from, (nuint)input.Length, to, (nuint)_output.Length);
                return length > 0
                    ? _output.AsSpan(0, length)
                    : throw new InvalidOperationException("libdeflate found its own bound too small.");
            }
        }

        public void Dispose()
        {
            if (_state != 0)
                _library._free(_state);
            (_state, _output) = (0, []);
        }
    }
}
