using System.Buffers;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Archiver.Core.Documents;
using Archiver.Core.Export;
using Archiver.Core.Spool;

namespace Archiver.Core.Tests.Export;

/// <summary>
/// The gzip of documents, by libdeflate where the machine has it and by System.IO.Compression where not: readers see no difference.
/// </summary>
public sealed class DocumentCompressorTests
{
    private const int LibdeflatesMark = 255;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void The_machine_that_tests_has_libdeflate()
    {
        Assert.SkipWhen(
            Libdeflate.Installed is null && Environment.GetEnvironmentVariable("CI") is null,
            "libdeflate is not installed: apt-get install libdeflate0 (test.sh does it)"
        );
        Assert.True(Libdeflate.Installed is not null, "libdeflate is not installed: apt-get install libdeflate0");
    }

    [Fact]
    public void A_machine_without_the_library_has_none() => Assert.Null(Libdeflate.Load("libdeflate-that-is-not-there.so.0"));

    public static MatrixTheoryData<CompressionLevel, bool, int> Levels =>
        new(Enum.GetValues<CompressionLevel>(), [false, true], [1, 900, 200_000, DocumentCompressor.ChunkBytes, 900_000]);

    [Theory]
    [MemberData(nameof(Levels))]
    public async Task Every_level_and_size_comes_back_as_it_was(CompressionLevel level, bool library, int size)
    {
        var document = Document(size);

        var (member, made) = await MakeAsync(level, Library(library), document);

        Assert.Equal(
            (document.Length, Convert.ToHexString(SHA256.HashData(document))),
            ((int)made.JsonLength, Convert.ToHexString(made.JsonSha256))
        );
        Assert.Equal(document, await ReadAsync(member));
        Assert.Equal(Convert.ToHexString(SHA256.HashData(member)), Convert.ToHexString(made.Sha256));
    }

    [Fact]
    public async Task Libdeflate_makes_what_fits_a_buffer_at_the_levels_where_it_is_better()
    {
        Assert.SkipWhen(Libdeflate.Installed is null, "needs libdeflate0");

        Assert.Equal(LibdeflatesMark, await SystemAsync(CompressionLevel.Optimal, 8_000));
        Assert.Equal(LibdeflatesMark, await SystemAsync(CompressionLevel.SmallestSize, 8_000));
        Assert.NotEqual(LibdeflatesMark, await SystemAsync(CompressionLevel.Fastest, 8_000));
        Assert.NotEqual(LibdeflatesMark, await SystemAsync(CompressionLevel.NoCompression, 8_000));
        // Streamed: a document of any size must not have to stand in memory.
        Assert.NotEqual(LibdeflatesMark, await SystemAsync(CompressionLevel.Optimal, 900_000));

        static async Task<int> SystemAsync(CompressionLevel level, int size) =>
            (await MakeAsync(level, Libdeflate.Installed, Document(size))).Member[9];
    }

    /// <summary>The ledger may be lost, and then the members are found by how they begin.</summary>
    [Fact]
    public async Task A_bundle_of_both_kinds_is_found_member_by_member()
    {
        byte[][] documents = [Document(9_000), Document(300_000), Document(700), Document(8_000)];
        List<byte[]> members = [];
        foreach (var (document, i) in documents.Select((d, i) => (d, i)))
            members.Add((await MakeAsync(CompressionLevel.Optimal, Library(i % 3 != 0), document)).Member);
        await using var spool = new SpoolingStream();
        spool.Write(members.SelectMany(m => m).ToArray());
        await using var bundle = spool.Complete();
        List<byte[]> found = [];

        await foreach (var (start, end) in GzipMembers.SplitAsync(bundle, IsWholeAsync, Token))
            found.Add(await ReadAsync(await RangeAsync(bundle, start, end)));

        Assert.Equal(documents, found);
    }

    private static async Task<bool> IsWholeAsync(SpooledContent content, long start, long end, CancellationToken cancellationToken)
    {
        try
        {
            return (await ReadAsync(await RangeAsync(content, start, end))).Length > 0;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static async Task<byte[]> RangeAsync(SpooledContent content, long start, long end)
    {
        await using var all = content.OpenRead();
        all.Position = start;
        var bytes = new byte[end - start];
        await all.ReadExactlyAsync(bytes, Token);
        return bytes;
    }

    private static Libdeflate? Library(bool has) => has ? Libdeflate.Installed : null;

    /// <summary>In chunks, as an export passes a document on.</summary>
    private static async Task<(byte[] Member, (long JsonLength, byte[] JsonSha256, byte[] Sha256) Made)> MakeAsync(
        CompressionLevel level,
        Libdeflate? library,
        byte[] document
    )
    {
        await using var compressor = new DocumentCompressor(level, library);
        for (var at = 0; at < document.Length; at += DocumentCompressor.ChunkBytes)
        {
            var chunk = compressor.Rent();
            chunk.Write(document.AsSpan(at, Math.Min(DocumentCompressor.ChunkBytes, document.Length - at)));
            await compressor.AddAsync(new(0, chunk, Last: at + DocumentCompressor.ChunkBytes >= document.Length), Token);
        }
        var made = (await compressor.CompleteAsync())[0];
        await using var content = made.Content;
        return (await RangeAsync(content, 0, content.Length), (made.JsonLength, made.JsonSha256, content.Sha256.ToArray()));
    }

    private static async Task<byte[]> ReadAsync(byte[] member)
    {
        await using var gzip = new GzipMemberStream(new MemoryStream(member));
        using var json = new MemoryStream();
        await gzip.CopyToAsync(json, Token);
        return json.ToArray();
    }

    private static byte[] Document(int size)
    {
        var text = new StringBuilder("{\"format\":\"archiver.session/1\",\"messages\":[");
        for (var n = 0; text.Length < size; n++)
            text.Append("{\"id\":").Append(n).Append(",\"content\":\"message ").Append(n * 7919 % 1000).Append(" größe\"},");
        return Encoding.UTF8.GetBytes(text.ToString())[..size];
    }
}
