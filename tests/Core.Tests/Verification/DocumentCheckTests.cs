using System.Text;
using Archiver.Core.Documents;

namespace Archiver.Core.Tests.Verification;

public sealed class DocumentCheckTests
{
    private const string Head = """
        {"format":"archiver.session/1","archived_at":"2026-01-01T00:00:00Z",
         "source":{"name":"main","database":"d","system_id":"1","server":"17","policy":"p","run":"r"},"generation":1,
         "tables":{"session":{"table":"s","columns":{"id":"uuid"}},"messages":{"table":"m","columns":{}},"files":{"table":"f","columns":{}},"empty":{"table":"e","columns":{}}}
        """;

    [Fact]
    public async Task Counts_the_rows_of_every_table()
    {
        var document = await CheckAsync(
            $$$"""
            {{{Head}}},"session":{"metadata":{"id":"not the key"},"id":"k1"},
             "messages":[{"id":1,"metadata":{"messages":[{},{}]}},{"id":2}],"related":{"files":[{"x":[{},{}]}],"empty":[]}}
            """
        );

        Assert.Equal("k1", document.Key);
        Assert.Equal([("files", 1L), ("messages", 2L), ("session", 1L)], document.Rows.Select(r => (r.Key, r.Value)).Order());
    }

    [Fact]
    public async Task Reads_a_numeric_key_digit_by_digit() =>
        Assert.Equal("9007199254740993", (await CheckAsync($$$"""{{{Head}}},"session":{"id":9007199254740993}}""")).Key);

    [Fact]
    public async Task Reads_values_that_are_longer_than_its_buffer_and_nested_very_deep()
    {
        var text = new string('x', 500_000);
        var deep = new string('[', 20_000) + new string(']', 20_000);

        Assert.Equal(1, (await CheckAsync(Document($$"""[{"content":"{{text}}","json":{{deep}}}]"""))).Rows["messages"]);
    }

    [Fact]
    public async Task Accepts_lone_surrogates() =>
        Assert.Equal(1, (await CheckAsync(Document("""[{"json":"\ud800"}]"""))).Rows["messages"]);

    [Theory]
    [InlineData("[}")]
    [InlineData("[{]")]
    [InlineData("""[{"content":"a"} {}]""")]
    public async Task Refuses_what_is_not_JSON(string messages) => await Refuses(Document(messages));

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData(Head)]
    [InlineData(Head + ",\"session\":{\"id\":1}} {}")]
    [InlineData(Head + ",\"session\":{\"id\":1},\"unknown\":[{}]}")]
    [InlineData(Head + ",\"session\":{\"id\":1},\"related\":{\"undescribed\":[{}]}}")]
    [InlineData(Head + ",\"session\":{\"id\":1},\"messages\":[{}],\"messages\":[{}]}")]
    [InlineData(Head + ",\"session\":{\"id\":1},\"messages\":[1]}")]
    [InlineData("{\"format\":\"archiver.session/2\"}")]
    public async Task Refuses_what_no_restore_would_read(string json) => await Refuses(json);

    private static async Task Refuses(string json)
    {
        var exception = await Assert.ThrowsAnyAsync<Exception>(() => CheckAsync(json));
        Assert.True(DocumentDamage.Is(exception), exception.ToString());
    }

    private static string Document(string messages) => $$$"""{{{Head}}},"session":{"id":1},"messages":{{{messages}}}}""";

    private static Task<CheckedDocument> CheckAsync(string json) =>
        new DocumentCheck("id").ReadAsync(new MemoryStream(Encoding.UTF8.GetBytes(json)), CancellationToken.None);
}
