using System.Text;
using Archiver.Core.Spool;

namespace Archiver.Core.Query;

/// <summary>
/// The documents of a question: fetched once, compared with the ledger, and kept as they are stored, in memory up to a few megabytes and
/// beyond that in one encrypted file without a name, which is gone with the process whatever happens. Scans read it as often as the SQL
/// needs.
/// </summary>
internal sealed class DocumentSpool(string? folder) : IDisposable
{
    private readonly SpoolingStream _writer = new(folder: folder);
    private readonly List<(long Offset, int Count)> _blocks = [];
    private readonly Lock _lock = new();
    private SpooledContent? _content;

    public int Blocks => _blocks.Count;

    /// <summary>Adds archives that were fetched together.</summary>
    /// <param name="members">Each with the number of its document's shape.</param>
    /// <param name="gzip">Their members, one after the other, as stored.</param>
    /// <exception cref="SpoolException">The folder is full, or may not be written.</exception>
    public void Add(IReadOnlyList<(QueriedArchive Archive, int Shape)> members, SpooledContent gzip)
    {
        using var body = gzip.OpenRead();
        var buffer = new byte[81920];
        lock (_lock)
        {
            _blocks.Add((_writer.Length, members.Count));
            foreach (var (archive, shape) in members)
            {
                using var head = new MemoryStream();
                using (var writer = new BinaryWriter(head, Encoding.UTF8, leaveOpen: true))
                {
                    archive.Write(writer);
                    writer.Write(shape);
                }
                _writer.Write(BitConverter.GetBytes((int)head.Length));
                _writer.Write(head.GetBuffer().AsSpan(0, (int)head.Length));
                for (var left = archive.Archive.Length; left > 0; )
                {
                    var read = body.Read(buffer, 0, (int)Math.Min(buffer.Length, left));
                    if (read == 0)
                        throw new EndOfStreamException("A fetched object ended early.");
                    _writer.Write(buffer.AsSpan(0, read));
                    left -= read;
                }
            }
        }
    }

    /// <summary>Ends adding.</summary>
    public void Complete() => _content = _writer.Complete();

    /// <summary>Opens what <see cref="Add"/> took as the n-th; the stream has a buffer of its own.</summary>
    public (Stream Stream, int Count) Open(int block)
    {
        var stream = _content!.OpenRead();
        stream.Position = _blocks[block].Offset;
        return (stream, _blocks[block].Count);
    }

    /// <summary>Reads what stands before a member; the member follows.</summary>
    public static (QueriedArchive Archive, int Shape) ReadHead(Stream stream)
    {
        var length = new byte[sizeof(int)];
        stream.ReadExactly(length);
        var head = new byte[BitConverter.ToInt32(length)];
        stream.ReadExactly(head);
        using var reader = new BinaryReader(new MemoryStream(head), Encoding.UTF8);
        return (QueriedArchive.Read(reader), reader.ReadInt32());
    }

    public void Dispose()
    {
        _writer.Dispose();
        _content?.Dispose();
    }
}
