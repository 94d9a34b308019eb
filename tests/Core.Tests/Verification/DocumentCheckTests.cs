using System.Text;
using System.Text.Json;
using Archiver.Core.Documents;

namespace Archiver.Core.Tests.Verification;

public sealed class DocumentCheckTests
{
    [Fact]
    public async Task Counts_the_rows_of_every_table()
    {
        var document = await CheckAsync("""
            {"format":"archiver.session/1","tables":{"session":{"columns":{"id":"uuid"}},"messages":{}},"session":{"metadata":{"id":"not the key"},"id":"k1"},
             "messages":[{"id":1,"metadata":{"messages":[{},{}]}},{"id":2}],"related":{"files":[{"x":[{},{}]}],"empty":[]}}
            """);

        Assert.Equal(("archiver.session/1", "k1"), (document.Format, document.Key));
        Assert.Equal([("files", 1L), ("messages", 2L), ("session", 1L)], document.Rows.Select(r => (r.Key, r.Value)).Order());
    }

    [Fact]
    public async Task Reads_a_numeric_key_digit_by_digit() =>
        Assert.Equal("9007199254740993", (await CheckAsync("""{"session":{"id":9007199254740993}}""")).Key);

    [Fact]
    public async Task Reads_values_that_are_longer_than_its_buffer_and_nested_very_deep()
    {
        var text = new string('x', 500_000);
        var deep = new string('[', 20_000) + new string(']', 20_000);

        Assert.Equal(1, (await CheckAsync($$"""{"messages":[{"content":"{{text}}","json":{{deep}}}]}""")).Rows["messages"]);
    }

    [Fact]
    public async Task Accepts_lone_surrogates() => Assert.Equal(1, (await CheckAsync("""{"messages":[{"json":"\ud800"}]}""")).Rows["messages"]);

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("""{"messages":[}""")]
    [InlineData("{} {}")]
    public async Task Refuses_what_is_not_one_document(string json) => await Assert.ThrowsAnyAsync<JsonException>(() => CheckAsync(json));

    private static Task<CheckedDocument> CheckAsync(string json) =>
        new DocumentCheck("id").ReadAsync(new MemoryStream(Encoding.UTF8.GetBytes(json)), CancellationToken.None);
}
