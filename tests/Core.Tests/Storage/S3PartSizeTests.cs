using Archiver.Core.Storage.S3;

namespace Archiver.Core.Tests.Storage;

public sealed class S3PartSizeTests
{
    [Theory]
    [InlineData(1L, 8L << 20)]
    [InlineData(40L << 20, 8L << 20)]
    [InlineData((8L << 20) * 10_000, 8L << 20)]
    [InlineData(((8L << 20) * 10_000) + 1, 9L << 20)]
    [InlineData(5L << 40, 525L << 20)]
    public void Parts_grow_so_that_ten_thousand_are_enough(long length, long size)
    {
        Assert.Equal(size, S3MultipartUpload.PartSize(length));
        Assert.True((length + size - 1) / size <= 10_000);
    }
}
