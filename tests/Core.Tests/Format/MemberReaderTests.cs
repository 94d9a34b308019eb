using System.IO.Compression;
using System.Text;
using Archiver.Core.Documents;

namespace Archiver.Core.Tests.Format;

public sealed class MemberReaderTests
{
    private static readonly byte[] Json = Encoding.UTF8.GetBytes($$"""{"content":"{{string.Join(' ', Enumerable.Range(0, 2_000))}}"}""");

    public static TheoryData<bool> Libraries => [true, false];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Reads_one_member_after_the_other(bool fast)
    {
        using var reader = Reader(fast);
        using var stream = new MemoryStream([.. Gzip(Json), .. Gzip([7])]);

        Assert.Equal(Json, reader.Read(stream, Gzip(Json).Length, Json.Length).ToArray());
        Assert.Equal((byte)7, Assert.Single(reader.Read(stream, Gzip([7]).Length, 1)));
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Refuses_a_member_that_is_damaged_or_becomes_something_else(bool fast)
    {
        var gzip = Gzip(Json);
        using var reader = Reader(fast);

        Refuses(gzip, Json.Length + 1);
        Refuses(gzip, Json.Length - 1);
        Refuses(gzip[..^1], Json.Length);
        Refuses(gzip[..(gzip.Length / 2)], Json.Length);
        Refuses([.. gzip[..^5], (byte)~gzip[^5], .. gzip[^4..]], Json.Length);
        Refuses([.. gzip[..^1], (byte)~gzip[^1]], Json.Length);
        Refuses([.. gzip, .. gzip], Json.Length);
        Refuses(Json, Json.Length);
        Assert.Throws<InvalidDataException>(() => reader.Read(new MemoryStream(gzip[..^1]), gzip.Length, Json.Length));
        Assert.Equal(Json, reader.Decompress(gzip, Json.Length).ToArray());

        void Refuses(byte[] bytes, int length) => Assert.Throws<InvalidDataException>(() => reader.Decompress(bytes, length));
    }

    private static MemberReader Reader(bool fast)
    {
        Assert.SkipWhen(
            fast && Libdeflate.Installed is null && Environment.GetEnvironmentVariable("CI") is null,
            "libdeflate is not installed: apt-get install libdeflate0 (test.sh does it)"
        );
        Assert.True(!fast || Libdeflate.Installed is not null, "libdeflate is not installed: apt-get install libdeflate0");
        return new(fast ? Libdeflate.Installed : null);
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Optimal))
            gzip.Write(bytes);
        return output.ToArray();
    }
}
