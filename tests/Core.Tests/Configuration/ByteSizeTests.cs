using Archiver.Core.Configuration;
using Xunit;

namespace Archiver.Core.Tests.Configuration;

public sealed class ByteSizeTests
{
    [Theory]
    [InlineData("17B", 17L)]
    [InlineData("3kB", 3_000L)]
    [InlineData("10MB", 10_000_000L)]
    [InlineData("2GB", 2_000_000_000L)]
    [InlineData("3KiB", 3_072L)]
    [InlineData("64MiB", 67_108_864L)]
    [InlineData("1GiB", 1_073_741_824L)]
    [InlineData("0B", 0L)]
    public void Reads_a_number_and_a_unit_and_formats_it_back(string text, long bytes)
    {
        Assert.True(ByteSize.TryParse(text, out var read));
        Assert.Equal(bytes, read);
        Assert.Equal(text, ByteSize.Format(bytes));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("64")]
    [InlineData("MiB")]
    [InlineData("64 MiB")]
    [InlineData(" 64MiB")]
    [InlineData("-1B")]
    [InlineData("1.5MiB")]
    [InlineData("64mib")]
    [InlineData("64KB")]
    [InlineData("64M")]
    [InlineData("8589934592GiB")]
    [InlineData("99999999999999999999B")]
    public void Refuses_everything_else(string? text) => Assert.False(ByteSize.TryParse(text, out _));

    [Fact]
    public void Reads_back_whatever_it_formats()
    {
        var random = new Random(4711);
        for (var i = 0; i < 10_000; i++)
        {
            var bytes = random.NextInt64(0, 1L << random.Next(1, 63)) / 1000 * 1000;

            Assert.True(ByteSize.TryParse(ByteSize.Format(bytes), out var read));
            Assert.Equal(bytes, read);
        }
    }
}
