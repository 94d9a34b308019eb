using Archiver.Core.Diagnostics;
using Archiver.Core.Storage.Files;

namespace Archiver.Core.Tests.Storage;

public sealed class FileKeyTests
{
    [Theory]
    [InlineData("")]
    [InlineData("/etc/passwd")]
    [InlineData("..")]
    [InlineData("../a")]
    [InlineData("a/../../b")]
    [InlineData("a/..")]
    [InlineData("./a")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData("a\0b")]
    [InlineData("a/b.gz.archiver-meta")]
    [InlineData("a/0123.archiver-tmp")]
    public void Refuses_a_key_that_leaves_the_root_or_takes_a_name_of_ours(string key)
    {
        var error = Assert.Throws<StorageException>(() => new FileKey("/srv/archive", key));

        Assert.Equal(StorageFailure.Permanent, error.Failure);
    }

    [Theory]
    [InlineData("a", "/srv/archive/a")]
    [InlineData("a/2026/11/x~2.json.gz", "/srv/archive/a/2026/11/x~2.json.gz")]
    [InlineData("..a/b..", "/srv/archive/..a/b..")]
    [InlineData(".archiver/x %7E", "/srv/archive/.archiver/x %7E")]
    public void Puts_a_key_below_the_root(string key, string path) => Assert.Equal(path, new FileKey("/srv/archive", key).Object);
}
