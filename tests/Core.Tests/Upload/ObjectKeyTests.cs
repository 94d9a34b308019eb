using Archiver.Core.Upload;

namespace Archiver.Core.Tests.Upload;

public sealed class ObjectKeyTests
{
    [Fact]
    public void Names_a_session_by_month_and_id() =>
        Assert.Equal("chat_archives/2026/03/abc.json.gz", ObjectKey.ForSession("chat_archives", "2026/03", "abc", null));

    [Fact]
    public void Numbers_later_names() => Assert.Equal("p/2026/03/abc~2.json.gz", ObjectKey.ForSession("p", "2026/03", "abc", "2"));

    [Theory]
    [InlineData("0198f3c2-7a1b-7c3d-8e4f-0123456789ab", "0198f3c2-7a1b-7c3d-8e4f-0123456789ab")]
    [InlineData("user/1 chat", "user%2F1%20chat")]
    [InlineData("a~2", "a%7E2")]
    [InlineData("100%", "100%25")]
    [InlineData("../../etc", "..%2F..%2Fetc")]
    [InlineData("ü", "%C3%BC")]
    [InlineData("line\nbreak", "line%0Abreak")]
    public void Encodes_everything_that_is_not_plain(string id, string encoded) => Assert.Equal(encoded, ObjectKey.Encode(id));

    [Fact]
    public void Names_an_id_that_is_too_long_by_its_hash()
    {
        var encoded = ObjectKey.Encode(new string('x', 201));

        Assert.StartsWith("sha256-", encoded, StringComparison.Ordinal);
        Assert.Equal(71, encoded.Length);
        Assert.Equal(200, ObjectKey.Encode(new string('x', 200)).Length);
    }

    [Fact]
    public void Gives_different_ids_different_names()
    {
        string[] ids =
        [
            "a",
            "A",
            "a~2",
            "a%7E2",
            "a 2",
            "a+2",
            "a%202",
            "",
            ".",
            "..",
            "a/b",
            "a%2Fb",
            new('y', 300),
            new string('y', 299) + "z",
        ];

        Assert.Equal(ids.Length, ids.Select(ObjectKey.Encode).Distinct().Count());
    }
}
