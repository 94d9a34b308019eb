using System.Text;
using Archiver.Core.Documents;

namespace Archiver.Core.Tests.Verification;

/// <summary>Whether two documents hold the same rows, whenever and by whichever run they were made.</summary>
public sealed class DocumentContentTests
{
    private const string Tables =
        """{"session":{"table":"s","columns":{"id":"uuid","title":"text"}},"messages":{"table":"m","columns":{}},"files":{"table":"f","columns":{}}}""";

    private const string Row = """{"id":"k1","title":"t","mark":false}""";

    private const string Rows = ""","messages":[{"id":1,"content":"a"}],"related":{"files":[{"id":7}]}}""";

    [Theory]
    [InlineData(Row, Rows, Tables, true)]
    [InlineData("""{"id":"k1","title":"t","mark":true}""", Rows, Tables, true)]
    [InlineData("""{"id":"k1","title":"t"}""", Rows, Tables, true)]
    [InlineData("""{"id":"k1","title":"u","mark":false}""", Rows, Tables, false)]
    [InlineData("""{"id":"k1","mark":false}""", Rows, Tables, false)]
    [InlineData("""{"id":"k1","title":null,"mark":false}""", Rows, Tables, false)]
    [InlineData("""{"id":"k1","title":"t","mark":false,"more":1}""", Rows, Tables, false)]
    [InlineData(Row, ""","messages":[{"id":1,"content":"b"}],"related":{"files":[{"id":7}]}}""", Tables, false)]
    [InlineData(Row, ""","messages":[{"id":1,"content":"a"}],"related":{"files":[{"id":8}]}}""", Tables, false)]
    [InlineData(Row, ""","messages":[{"id":1,"content":"a"},{"id":2}],"related":{"files":[{"id":7}]}}""", Tables, false)]
    [InlineData(
        Row,
        Rows,
        """{"session":{"table":"s","columns":{"id":"uuid","title":"varchar"}},"messages":{"table":"m","columns":{}},"files":{"table":"f","columns":{}}}""",
        false
    )]
    public async Task Compares_everything_but_the_head_and_the_columns_of_the_mark(string row, string rows, string tables, bool same)
    {
        var stored = await ReadAsync(Document("r1", Tables, Row, Rows));
        var now = await ReadAsync(Document("r2\",\"x\":{\"tables\":{\"session\":{}},\"session\":{\"x\":1}},\"y\":\"", tables, row, rows));

        Assert.Equal(same, stored.SameRows(now, ["mark"]));
        Assert.Equal(same, now.SameRows(stored, ["mark"]));
    }

    [Fact]
    public async Task Finds_one_byte_in_documents_longer_than_its_buffer_wherever_the_buffer_ends()
    {
        var row = $$"""{"id":"k1","title":"{{new string('t', 150_000)}}"}""";
        var rows =
            $$""","messages":[{{string.Join(",", Enumerable.Range(0, 5_000).Select(i => $$"""{"id":{{i}},"content":"{{new string('x', 60)}}"}"""))}}]}""";
        var stored = await ReadAsync(Document("r", Tables, row, rows));

        Assert.Equal(Tables, stored.Tables);
        Assert.Equal(Encoding.UTF8.GetBytes(row), stored.Session);
        Assert.True(stored.SameRows(await ReadAsync(Document(new string('r', 40_001), Tables, row, rows)), []));
        Assert.False(stored.SameRows(await ReadAsync(Document("r", Tables, row, rows[..^5] + "y" + rows[^4..])), []));
        Assert.False(stored.SameRows(await ReadAsync(Document("r", Tables, row[..^3] + "y" + row[^2..], rows)), []));
    }

    private static string Document(string run, string tables, string row, string rows) =>
        $$"""
            {"format":"archiver.session/1","archived_at":"t","source":{"name":"main","database":"d","system_id":"1","server":"17","policy":"p","run":"{{run}}"},"generation":1,"tables":{{tables}},"session":{{row}}{{rows}}
            """ + "\n";

    private static async Task<DocumentContent> ReadAsync(string json) =>
        (
            await new DocumentCheck("id", content: true).ReadAsync(new MemoryStream(Encoding.UTF8.GetBytes(json)), CancellationToken.None)
        ).Content!;
}
