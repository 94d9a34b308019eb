using System.Text;
using Archiver.Core.Postgres;

namespace Archiver.Core.Tests.Postgres;

public sealed class CopyTextReaderTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(100_000)]
    public async Task Reads_rows_however_the_bytes_arrive(int chunk)
    {
        var long1 = new string('x', 300_000);
        var rows = await ReadAsync($"1\ta\t\\N\n2\t\t{long1}\n3\t\\\\N\tend\n", 3, chunk);

        Assert.Equal(
            [
                ["1", "a", null],
                ["2", "", long1],
                ["3", "\\\\N", "end"],
            ],
            rows
        );
    }

    [Fact]
    public async Task Ends_at_the_end_of_no_rows() => Assert.Empty(await ReadAsync("", 2, 10));

    [Theory]
    [InlineData("1\t2\t3\n")]
    [InlineData("1\n")]
    [InlineData("1\t2\n1\t2\t3\n")]
    public async Task Refuses_a_row_with_another_number_of_fields(string copy) =>
        await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(copy, 2, 10));

    [Fact]
    public async Task Refuses_data_that_end_within_a_row() =>
        await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync("1\t2\n3\t", 2, 10));

    [Theory]
    [InlineData(1_000)]
    [InlineData(100_000)]
    public async Task Gives_a_row_up_that_is_longer_than_it_may_be_and_says_whose_it_is(int chunk)
    {
        var copy = Encoding.UTF8.GetBytes($"1\tshort\n2\t{new string('x', 5_000_000)}\n");
        using var source = new ChunkedStream(copy, chunk);
        using var reader = new CopyTextReader(source, 2, longest: 400_000);

        Assert.True(await reader.ReadAsync(CancellationToken.None));
        Assert.Equal("short", Encoding.UTF8.GetString(reader[1]));
        Assert.True(await reader.ReadAsync(CancellationToken.None));

        Assert.Equal("2", Encoding.UTF8.GetString(reader[0]));
        Assert.InRange(reader.RowLength, 400_001, 700_000);
        Assert.InRange(source.Position, 400_001, 700_000);
    }

    private static async Task<List<List<string?>>> ReadAsync(string copy, int fields, int chunk)
    {
        List<List<string?>> rows = [];
        using var reader = new CopyTextReader(new ChunkedStream(Encoding.UTF8.GetBytes(copy), chunk), fields);
        while (await reader.ReadAsync(CancellationToken.None))
            rows.Add([.. Enumerable.Range(0, fields).Select(f => reader.IsNull(f) ? null : Encoding.UTF8.GetString(reader[f]))]);
        return rows;
    }

    /// <summary>Gives a few bytes at a time, as a network does.</summary>
    private sealed class ChunkedStream(byte[] bytes, int chunk) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(chunk, buffer.Length)], cancellationToken);
    }
}
