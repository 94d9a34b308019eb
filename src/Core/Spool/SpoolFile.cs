using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Archiver.Core.Spool;

/// <summary>
/// A temporary file that only this process can read: mode 0600, without a name on Unix as soon as it is open (a killed process leaves
/// nothing behind), and encrypted with AES-256-GCM under a random key that is never stored. Chats must not stand readable on a disk
/// that nobody thinks of. The file is a row of records of 64 KiB, each with its tag; the record's number is its nonce.
/// </summary>
internal sealed class SpoolFile : IDisposable
{
    private const int RecordSize = 64 * 1024;

    private readonly string _folder;
    private readonly FileStream _file;
    private readonly AesGcm _cipher;
    private readonly byte[] _plain = new byte[RecordSize];
    private readonly byte[] _sealed = new byte[RecordSize + Tag];
    private int _pending;
    private long _records;

    private static int Tag => AesGcm.TagByteSizes.MaxSize;

    /// <exception cref="SpoolException">The folder is full, or may not be written.</exception>
    public SpoolFile(string folder)
    {
        _folder = folder;
        var path = Path.Combine(folder, $"archiver-{Guid.NewGuid():N}.tmp");
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Options = FileOptions.DeleteOnClose,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Span<byte> key = stackalloc byte[32];
        RandomNumberGenerator.Fill(key);
        _file = Guarded(() => new FileStream(path, options));
        _cipher = new AesGcm(key, Tag);
        CryptographicOperations.ZeroMemory(key);
        if (!OperatingSystem.IsWindows())
            File.Delete(path);
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var count = Math.Min(bytes.Length, RecordSize - _pending);
            bytes[..count].CopyTo(_plain.AsSpan(_pending));
            _pending += count;
            bytes = bytes[count..];
            if (_pending == RecordSize)
                WriteRecord();
        }
    }

    /// <summary>Writes the last, shorter record. Nothing may be appended after it.</summary>
    public void Complete()
    {
        if (_pending > 0)
            WriteRecord();
    }

    /// <summary>A reader with a buffer of its own; several may read at once.</summary>
    public Reader OpenReader(long length) => new(this, length);

    public void Dispose()
    {
        _file.Dispose();
        _cipher.Dispose();
        CryptographicOperations.ZeroMemory(_plain);
    }

    private static void Nonce(long record, Span<byte> nonce)
    {
        nonce.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(nonce, record);
    }

    private T Guarded<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SpoolException(_folder, exception);
        }
    }

    private void WriteRecord()
    {
        Span<byte> nonce = stackalloc byte[AesGcm.NonceByteSizes.MaxSize];
        Nonce(_records, nonce);
        _cipher.Encrypt(nonce, _plain.AsSpan(0, _pending), _sealed.AsSpan(0, _pending), _sealed.AsSpan(_pending, Tag));
        Guarded(() =>
        {
            _file.Write(_sealed, 0, _pending + Tag);
            return true;
        });
        _records++;
        _pending = 0;
    }

    /// <summary>Decrypts record by record and keeps the last one.</summary>
    internal sealed class Reader(SpoolFile file, long length)
    {
        private readonly byte[] _plain = new byte[RecordSize];
        private readonly byte[] _sealed = new byte[RecordSize + Tag];
        private long _record = -1;

        public int Read(long position, Span<byte> buffer)
        {
            if (position >= length)
                return 0;
            var (record, offset) = Math.DivRem(position, RecordSize);
            var size = (int)Math.Min(RecordSize, length - (record * RecordSize));
            if (record != _record)
                Load(record, size);
            var count = Math.Min(buffer.Length, size - (int)offset);
            _plain.AsSpan((int)offset, count).CopyTo(buffer);
            return count;
        }

        private void Load(long record, int size)
        {
            var at = record * (RecordSize + Tag);
            for (int read = 0, count; read < size + Tag; read += count)
            {
                count = RandomAccess.Read(file._file.SafeFileHandle, _sealed.AsSpan(read, size + Tag - read), at + read);
                if (count == 0)
                    throw new EndOfStreamException("A temporary file of the archiver was cut short.");
            }
            Span<byte> nonce = stackalloc byte[AesGcm.NonceByteSizes.MaxSize];
            Nonce(record, nonce);
            _record = -1;
            lock (file._cipher)
                file._cipher.Decrypt(nonce, _sealed.AsSpan(0, size), _sealed.AsSpan(size, Tag), _plain.AsSpan(0, size));
            _record = record;
        }
    }
}
