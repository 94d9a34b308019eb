using System.Security.Cryptography;
using Archiver.Core.Spool;

namespace Archiver.Core.Tests.Storage;

/// <summary>Documents that share memory until they are freed.</summary>
public sealed class SpoolArenaTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("spool-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_small_document_takes_one_range_of_memory()
    {
        using var arena = new SpoolArena();
        using var chunks = new SpoolChunks(arena);

        for (var i = 0; i < 20; i++)
            chunks.Append(new byte[100]);

        Assert.Equal(1, chunks.Count);
        Assert.Equal(2_000, chunks[0].Length);
    }

    [Fact]
    public void Documents_that_share_memory_keep_their_own_bytes_whatever_is_freed_before_them()
    {
        using var arena = new SpoolArena();
        List<(byte[] Bytes, SpooledContent Content)> documents = [];
        for (var i = 0; i < 400; i++)
        {
            var bytes = RandomNumberGenerator.GetBytes(1 + (i * 37 % 20_000));
            using var spool = new SpoolingStream(arena: arena);
            foreach (var piece in bytes.Chunk(1_000))
                spool.Write(piece);
            documents.Add((bytes, spool.Complete()));
        }
        using var abandoned = new SpoolingStream(arena: arena);
        abandoned.Write(new byte[3_000_000]);
        abandoned.Dispose();
        arena.Dispose();

        for (var i = 0; i < documents.Count; i++)
        {
            using var read = new MemoryStream();
            documents[i].Content.OpenRead().CopyTo(read);
            Assert.Equal(documents[i].Bytes, read.ToArray());
            // Every second one is freed at once; its neighbours in the slab are read later.
            if (i % 2 == 0)
                documents[i].Content.Dispose();
        }
        foreach (var (bytes, content) in documents.Where((_, i) => i % 2 == 1))
        {
            var read = new byte[bytes.Length];
            content.OpenRead().ReadExactly(read);
            Assert.Equal(bytes, read);
            content.Dispose();
        }
    }

    [Fact]
    public void Contents_written_in_turns_into_one_memory_stay_apart()
    {
        using var arena = new SpoolArena();
        using var one = new SpoolChunks(arena);
        using var other = new SpoolChunks(arena);
        var (part, all) = (new byte[3], new byte[3]);

        foreach (var i in (byte[])[1, 2, 3])
        {
            one.Append([i]);
            other.Append([(byte)(i + 100)]);
        }
        for (var i = 0; i < 3; i++)
        {
            one.Read(i, part.AsSpan(i, 1));
            other.Read(i, all.AsSpan(i, 1));
        }

        Assert.Equal([1, 2, 3], part);
        Assert.Equal([101, 102, 103], all);
    }
}
