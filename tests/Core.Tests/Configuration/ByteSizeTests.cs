using Archiver.Core.Configuration;
using CsCheck;

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
    public void Reads_back_whatever_it_formats() =>
        Gen.Long[0, long.MaxValue].Sample(bytes => Assert.Equal(bytes, Read(ByteSize.Format(bytes))), iter: 10_000);

    [Fact]
    public void Reads_a_number_times_its_unit_or_refuses_what_no_long_holds()
    {
        (string Unit, long Bytes)[] units =
        [
            ("B", 1),
            ("kB", 1000),
            ("MB", 1_000_000),
            ("GB", 1_000_000_000),
            ("KiB", 1 << 10),
            ("MiB", 1 << 20),
            ("GiB", 1 << 30),
        ];
        Gen.Select(Gen.OneOf(units), Gen.OneOf(Gen.Long[0, 100_000], Gen.Long[0, long.MaxValue]))
            .Sample(
                (unit, number) =>
                {
                    var exact = (Int128)number * unit.Bytes;
                    Assert.Equal(exact > long.MaxValue ? null : (long)exact, Read($"{number}{unit.Unit}"));
                },
                iter: 10_000
            );
    }

    private static long? Read(string text) => ByteSize.TryParse(text, out var bytes) ? bytes : null;
}
