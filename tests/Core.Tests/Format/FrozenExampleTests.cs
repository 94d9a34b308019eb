using System.IO.Compression;
using System.Text.Json;
using Archiver.Core.Documents;
using Archiver.Testing;
using static Archiver.Core.Tests.Format.JsonSchema;

namespace Archiver.Core.Tests.Format;

/// <summary>Documents that were written once and must be readable for ever; docs/format.md and its schema describe them.</summary>
public sealed class FrozenExampleTests
{
    private static byte[] Json =>
        File.ReadAllBytes(Repository.File("tests", "Core.Tests", "Format", "examples", "archiver.session-1.json"));

    [Fact]
    public void The_compressed_example_is_the_same_document()
    {
        using var gzip = new GZipStream(
            File.OpenRead(Repository.File("tests", "Core.Tests", "Format", "examples", "archiver.session-1.json.gz")),
            CompressionMode.Decompress
        );
        using var json = new MemoryStream();
        gzip.CopyTo(json);

        Assert.Equal(Json, json.ToArray());
        Assert.Equal(
            "496cacea90cb5d1b81f94e9200c4fc9a6fc2bd6d63293e233c0541a42d675674",
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Json))
        );
    }

    [Fact]
    public void It_is_one_line_with_one_line_feed_at_its_end()
    {
        Assert.Equal(Json.Length - 1, Array.IndexOf(Json, (byte)'\n'));
        Assert.DoesNotContain((byte)'\r', Json);
    }

    [Fact]
    public async Task It_is_read_row_by_row()
    {
        using var stream = new MemoryStream(Json);
        using var document = await DocumentReader.OpenAsync(stream, TestContext.Current.CancellationToken);
        List<string> tables = [];
        while (await document.ReadAsync(TestContext.Current.CancellationToken))
            tables.Add(document.Table);

        Assert.Equal(("main", "idle", 1), (document.Header.Source.Name, document.Header.Source.Policy, document.Header.Generation));
        Assert.Equal(["session", "messages", "messages", "messages", "files", "files", "files"], tables);
    }

    [Fact]
    public async Task The_example_of_a_part_is_read_and_is_as_the_schema_says()
    {
        var json = await File.ReadAllBytesAsync(
            Repository.File("tests", "Core.Tests", "Format", "examples", "archiver.part-1.json"),
            TestContext.Current.CancellationToken
        );
        await using var gzip = new GZipStream(
            File.OpenRead(Repository.File("tests", "Core.Tests", "Format", "examples", "archiver.part-1.json.gz")),
            CompressionMode.Decompress
        );
        using var document = await DocumentReader.OpenAsync(gzip, TestContext.Current.CancellationToken);
        List<string> tables = [];
        while (await document.ReadAsync(TestContext.Current.CancellationToken))
            tables.Add(document.Table);

        Assert.Equal(("archiver.part/1", true, 1), (document.Header.Format, document.Header.IsPart, document.Header.Generation));
        Assert.Equal(["session", "messages", "messages", "files"], tables);
        Assert.Equal(
            "6d00cf09eae397de769e203e6e83e3f17fec8f9d4cdcf2d53e70ff75f1843992",
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(json))
        );
        using var schema = JsonDocument.Parse(
            await File.ReadAllBytesAsync(Repository.File("docs", "format.schema.json"), TestContext.Current.CancellationToken)
        );
        using var parsed = JsonDocument.Parse(json);
        Assert.Empty(Violations(parsed.RootElement, schema.RootElement, schema.RootElement, "$"));
    }

    [Fact]
    public void It_is_as_the_schema_says()
    {
        using var schema = JsonDocument.Parse(File.ReadAllBytes(Repository.File("docs", "format.schema.json")));
        using var document = JsonDocument.Parse(Json);

        Assert.Empty(Violations(document.RootElement, schema.RootElement, schema.RootElement, "$"));
        using var wrong = JsonDocument.Parse(
            """{"format":"archiver.session/2","archived_at":"yesterday","source":{},"generation":0,"tables":{},"session":[],"extra":1}"""
        );
        Assert.Equal(
            [
                "$.archived_at pattern",
                "$.extra",
                "$.format enum",
                "$.generation minimum",
                "$.session type",
                "$.source required database",
                "$.source required name",
                "$.source required policy",
                "$.source required run",
                "$.source required server",
                "$.source required system_id",
                "$.tables required session",
            ],
            Violations(wrong.RootElement, schema.RootElement, schema.RootElement, "$").Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void Every_row_has_only_columns_that_the_document_describes()
    {
        using var document = JsonDocument.Parse(Json);
        var tables = document.RootElement.GetProperty("tables");
        foreach (var (table, row) in Rows(document.RootElement))
        {
            var columns = tables.GetProperty(table).GetProperty("columns").EnumerateObject().Select(c => c.Name).ToList();
            var names = row.EnumerateObject().Select(c => c.Name).ToList();
            Assert.Equal(columns.Where(names.Contains), names);
            Assert.All(row.EnumerateObject().Where(c => c.Value.ValueKind == JsonValueKind.Null), c =>
                Assert.Contains(tables.GetProperty(table).GetProperty("columns").GetProperty(c.Name).GetString(), new[] { "json", "jsonb" })
            );
        }
    }

    private static IEnumerable<(string Table, JsonElement Row)> Rows(JsonElement root) =>
        root.GetProperty("related")
            .EnumerateObject()
            .Append(root.EnumerateObject().Single(m => m.Name == "messages"))
            .SelectMany(t => t.Value.EnumerateArray().Select(r => (t.Name, r)))
            .Append(("session", root.GetProperty("session")));
}
