using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Integration.Tests.Restore;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Sources;

/// <summary>What goes through a document comes back the same to the byte, in the form that COPY writes, whatever its type.</summary>
public sealed class LosslessTests(TestServers servers)
{
    private static readonly SourceMap Map = new(
        new()
        {
            Table = new("public", "sessions"),
            Key = "id",
            Activity = ["seen"],
        },
        [
            new()
            {
                Name = "messages",
                Table = new("public", "items"),
                ForeignKey = "session_id",
                ParentKey = "id",
                Key = "id",
                Order = ["id"],
            },
        ]
    );

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_type_comes_back_equal_to_the_byte()
    {
        var types = TypeSamples.All;
        var rows = Enumerable
            .Range(0, types.Max(t => t.Values.Length))
            .Select(row => types.Select(t => row < t.Values.Length ? $"({t.Values[row]})::{t.Type}" : "NULL"));

        await AssertLosslessAsync([.. types.Select(t => t.Type)], [.. rows.Select(r => string.Join(", ", r))]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Random_rows_of_random_types_come_back_equal_to_the_byte(int seed)
    {
        var random = new Random(seed);
        var types = Enumerable.Range(0, random.Next(1, 40)).Select(_ => TypeSamples.All[random.Next(TypeSamples.All.Length)]).ToList();
        var rows = Enumerable
            .Range(0, 60)
            .Select(_ =>
                string.Join(", ", types.Select(t => random.Next(4) == 0 ? "NULL" : $"({t.Values[random.Next(t.Values.Length)]})::{t.Type}"))
            );

        await AssertLosslessAsync([.. types.Select(t => t.Type)], [.. rows]);
    }

    [Fact]
    public async Task Tells_a_json_null_from_a_sql_null()
    {
        await using var archiver = await CreateAsync(["json", "jsonb", "json", "text"], ["'null', 'null', NULL, 'null'"]);
        Assert.Equal(RunOutcome.Done, (await archiver.RunAsync(Token)).Outcome);

        var key = Assert.Single(await archiver.Bucket.ListKeysAsync("chat_archives/2"));
        await using var gzip = new GZipStream(new MemoryStream(await archiver.Bucket.GetRawAsync(key)), CompressionMode.Decompress);
        using var document = await JsonDocument.ParseAsync(gzip);
        var row = document.RootElement.GetProperty("messages")[0];

        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (row.GetProperty("c0").ValueKind, row.GetProperty("c1").ValueKind));
        Assert.False(row.TryGetProperty("c2", out _));
        Assert.Equal("null", row.GetProperty("c3").GetString());
    }

    private async Task AssertLosslessAsync(List<string> types, List<string> rows)
    {
        await using var archiver = await CreateAsync(types, rows);
        var before = await archiver.Database.CopyTablesAsync(archiver);

        var summary = await archiver.RunAsync(Token);
        Assert.Equal("", summary.Error ?? string.Join(", ", summary.Reasons.Keys));
        Assert.Equal((RunOutcome.Done, 1L), (summary.Outcome, summary.Sessions));
        Assert.Equal("", await archiver.Database.CopyTablesAsync(archiver));
        var report = await archiver.RestoreAsync(RestoreFixture.Everything, Token);

        Assert.Equal("", report.Error ?? string.Join(", ", report.Refused.Select(r => r.Reason)));
        Assert.Equal((RunOutcome.Done, 1L), (report.Outcome, report.Restored));
        Assert.Equal(before, await archiver.Database.CopyTablesAsync(archiver));
    }

    private async Task<ArchiverFixture> CreateAsync(List<string> types, List<string> rows)
    {
        var archiver = await ArchiverFixture.CreateAsync(servers, Map, null, null, Token);
        var columns = string.Join(", ", types.Select((t, i) => string.Create(CultureInfo.InvariantCulture, $"c{i} {t}")));
        await archiver.ExecuteAsync(
            $"""
            {TypeSamples.Create}
            CREATE TABLE sessions (id int PRIMARY KEY, seen timestamptz NOT NULL);
            CREATE TABLE items (id int PRIMARY KEY, session_id int NOT NULL REFERENCES sessions, {columns});
            CREATE INDEX ON items (session_id);
            INSERT INTO sessions VALUES (1, now() - interval '1 year');
            """,
            null
        );
        await archiver.ExecuteAsync(
            string.Join(
                "\n",
                rows.Select((r, i) => string.Create(CultureInfo.InvariantCulture, $"INSERT INTO items VALUES ({i}, 1, {r});"))
            ),
            null
        );
        return archiver;
    }
}
