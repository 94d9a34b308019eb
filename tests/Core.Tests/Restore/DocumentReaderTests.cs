using System.Text;
using System.Text.Json;
using Archiver.Core.Documents;

namespace Archiver.Core.Tests.Restore;

public sealed class DocumentReaderTests
{
    private const string Head = """
        {"format":"archiver.session/1","archived_at":"2026-11-21T02:00:00.123456Z","source":{"name":"main","database":"chat","system_id":"73","server":"17.10","policy":"idle","run":"r"},"generation":2,"tables":{"session":{"table":"public.s","columns":{"id":"bigint"}},"messages":{"table":"public.m","columns":{"id":"bigint","body":"text"}},"files":{"table":"public.f","columns":{"name":"text"}}},"session":
        """;

    private const string Whole =
        Head + """{"id":1},"messages":[{"id":10,"body":"a, ] }"},{"id":11}],"related":{"files":[{"name":"x"}]}}""" + "\n";

    [Fact]
    public async Task Reads_the_header_and_then_every_row_with_its_table()
    {
        var (header, rows) = await ReadAsync(Whole);

        Assert.Equal(
            ("main", "chat", "73", "idle"),
            (header.Source.Name, header.Source.Database, header.Source.SystemId, header.Source.Policy)
        );
        Assert.Equal(2, header.Generation);
        Assert.Equal([new("id", "bigint"), new("body", "text")], header.Tables[1].Columns);
        Assert.Equal(
            ["session {\"id\":1}", "messages {\"id\":10,\"body\":\"a, ] }\"}", "messages {\"id\":11}", "files {\"name\":\"x\"}"],
            rows
        );
    }

    [Fact]
    public async Task Reads_rows_that_are_longer_than_its_buffer_and_nested_very_deep()
    {
        var text = new string('x', 1_000_000);
        var deep = new string('[', 20_000) + new string(']', 20_000);

        var (_, rows) = await ReadAsync(Head + $$"""{"id":1},"messages":[{"body":"{{text}}"},{"body":{{deep}}}]}""");

        Assert.Equal([$"messages {{\"body\":\"{text}\"}}", $"messages {{\"body\":{deep}}}"], rows.Skip(1));
    }

    [Fact]
    public async Task Refuses_a_row_that_is_longer_than_its_reader_may_hold()
    {
        var token = TestContext.Current.CancellationToken;
        var document = Head + $$"""{"id":1},"messages":[{"body":"{{new string('x', 1_000_000)}}"}]}""";
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(document));
        using var reader = await DocumentReader.OpenAsync(stream, 400_000, token);
        Assert.True(await reader.ReadAsync(token));

        var exception = await Assert.ThrowsAsync<InvalidDataException>(async () => await reader.ReadAsync(token));

        Assert.Contains("more than this process may hold in memory", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refuses_a_document_that_ends_anywhere_before_its_end()
    {
        Assert.Equal(4, (await ReadAsync(Whole)).Rows.Count);
        var last = Whole.TrimEnd().Length - 1;
        for (var length = 0; length <= last; length++)
            await Assert.ThrowsAnyAsync<Exception>(() => ReadAsync(Whole[..length]));
    }

    [Theory]
    [InlineData("archiver.session/1", "archiver.session/2", "archiver.session/2")]
    [InlineData("{\"format\":\"archiver.session/1\",", "{", "does not begin with its format")]
    [InlineData("\"messages\":[", "\"voices\":[", "'voices'")]
    [InlineData("\"related\":{\"files\"", "\"related\":{\"faces\"", "'faces'")]
    [InlineData("\"generation\":2", "\"generation\":0", "generation")]
    [InlineData("\"archived_at\"", "\"compressed_at\"", "'compressed_at'")]
    [InlineData("}}\n", "}}\n{}", "follows the end")]
    [InlineData("{\"id\":1}", "[1]", "not an object")]
    public async Task Refuses_what_the_format_does_not_know_and_says_what(string from, string to, string word)
    {
        Assert.Contains(from, Whole, StringComparison.Ordinal);
        var exception = await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(Whole.Replace(from, to, StringComparison.Ordinal)));

        Assert.Contains(word, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refuses_what_is_not_json() =>
        await Assert.ThrowsAnyAsync<JsonException>(() => ReadAsync(Whole.Replace("{\"id\":11}", "{\"id\":1x}", StringComparison.Ordinal)));

    // The parser alone lets these bytes pass, and whoever decodes them later gets other characters than those that were archived.
    [Theory]
    [InlineData("a, ]")]
    [InlineData("x\"}]")]
    [InlineData("public.m")]
    public async Task Refuses_what_is_no_UTF8_wherever_it_stands(string text)
    {
        var at = Whole.IndexOf(text, StringComparison.Ordinal);
        var document = Encoding.UTF8.GetBytes(Whole);
        document[at] = 0xE9;

        var exception = await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(document));

        Assert.Contains("not UTF-8", exception.Message, StringComparison.Ordinal);
    }

    private static Task<(DocumentHeader Header, List<string> Rows)> ReadAsync(string document) =>
        ReadAsync(Encoding.UTF8.GetBytes(document));

    private static async Task<(DocumentHeader Header, List<string> Rows)> ReadAsync(byte[] document)
    {
        using var stream = new MemoryStream(document);
        using var reader = await DocumentReader.OpenAsync(stream, TestContext.Current.CancellationToken);
        List<string> rows = [];
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            rows.Add($"{reader.Table} {Encoding.UTF8.GetString(reader.Row)}");
        return (reader.Header, rows);
    }
}
