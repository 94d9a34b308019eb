using Archiver.Core.Upload;

namespace Archiver.Core.Tests.Upload;

/// <summary>What a listing of a prefix returns is the prefix's only where it has the shape of its keys.</summary>
public sealed class ArchiveKeyTests
{
    [Theory]
    [InlineData("a/2026/11/x.json.gz", true)]
    [InlineData("a/12026/11/x~2.json.gz", true)]
    [InlineData("a/bundles/2026/11/x-000001.jsonl.gz", true)]
    [InlineData("a/b/2026/11/x.json.gz", false)]
    [InlineData("a/b/bundles/2026/11/x-000001.jsonl.gz", false)]
    [InlineData("a/.archiver/manifests/x.json.gz", false)]
    [InlineData("a/2026/11/x.jsonl.gz", false)]
    [InlineData("a/2026/11/deep/x.json.gz", false)]
    [InlineData("ab/2026/11/x.json.gz", false)]
    public void Knows_the_keys_of_its_prefix(string key, bool ours) => Assert.Equal(ours, ObjectKey.IsArchive("a", key));
}
