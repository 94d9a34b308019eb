using Archiver.Testing;
using Archiver.Worker.Tests.Http;

namespace Archiver.Worker.Tests;

/// <summary>Sessions that several columns name are read by their one id, in parts, over HTTP and by SQL.</summary>
public sealed class CompositeKeyReadTests(TestServers servers) : CompositeKeys(servers)
{
    [Theory]
    [InlineData("MessagesOlderThan", "90d")]
    [InlineData("KeepLast", "1")]
    public async Task Old_messages_of_sessions_that_live_on_are_taken_page_by_page_and_come_back(string which, string value)
    {
        await using var archiver = await TextsAsync();
        await archiver.Database.ExecuteAsync(
            """
            INSERT INTO chats SELECT 'x', 'y', 'n' || n, now() FROM generate_series(1, 6) AS n;
            INSERT INTO posts SELECT i, a, b, c, now() - i * interval '80 days', NULL, 'old' FROM chats, generate_series(1, 2) AS i
              WHERE c LIKE 'n%';
            CREATE INDEX ON posts (chat_c, chat_a, chat_b, at);
            """,
            Token
        );
        archiver
            .With("Sources:main:Policies:idle:IdleFor", null)
            .With("Sources:main:Policies:idle:Scope", "Messages")
            .With($"Sources:main:Policies:idle:{which}", value)
            .With("Batch:Sessions", "2");
        var rows = await RowsAsync(archiver);

        await DoneAsync(archiver, "archive");

        Assert.Equal(8, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM posts", Token));
        Assert.Equal(8, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chats", Token));
        await DoneAsync(archiver, "verify", "--all");
        await DoneAsync(archiver, "restore", "--from", "2000-01-01");
        Assert.Equal(rows, await RowsAsync(archiver));
    }

    [Fact]
    public async Task Are_read_and_restored_by_HTTP_and_asked_for_by_SQL_in_every_shard()
    {
        await using var archiver = await CreateAsync(["text", "text", "text"], ["x/y", "50 %", "one"], "two");
        const string id = """["x/y","50 %","one"]""";
        archiver.With("Http:ApiKey", HttpFixture.Key).With("Schedule:Shards", "3").With("Sources:main:Policies:idle:Cron", "0 0 2 1 1 ?");
        await DoneAsync(archiver, "archive");
        Assert.Equal("1 2 4", await CountsAsync(archiver));
        Assert.Contains(
            @"x/y",
            (await DoneAsync(archiver, "query", "SELECT session_id, count(*) FROM messages GROUP BY 1")).Output,
            StringComparison.Ordinal
        );
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);

        using var read = await worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, $"/archives/{Uri.EscapeDataString(id)}"), Token);
        Assert.Equal(System.Net.HttpStatusCode.OK, read.StatusCode);
        Assert.Contains("\"c\":\"one\"", await read.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        using var restored = await worker.SendAsync(
            HttpFixture.Bearer(HttpMethod.Post, $"/archives/{Uri.EscapeDataString(id)}/restore"),
            Token
        );
        Assert.True(restored.IsSuccessStatusCode, await restored.Content.ReadAsStringAsync(Token));
        Assert.Equal("2 4 8", await CountsAsync(archiver));
    }

    [Theory]
    [InlineData("one", "whose key has 3 columns: write [\"a\",\"b\",\"c\"] with their values")]
    [InlineData("""["x","y"]""", "whose key has 3 columns")]
    [InlineData("""["x","y",null]""", "whose key has 3 columns")]
    public async Task An_id_of_another_shape_is_refused_with_the_shape_that_is_wanted(string id, string says)
    {
        await using var archiver = await TextsAsync();
        foreach (
            string[] verb in new[]
            {
                new[] { "hold", "add", "--session", id, "--reason", "x" },
                ["restore", id],
                ["erase", id, "--yes"],
                ["show", id],
                ["explain", id],
            }
        )
        {
            var result = await archiver.RunAsync(verb);
            Assert.True(result.ExitCode == 2, $"{verb[0]}: {result.ExitCode} {result.Error}");
            Assert.Contains(says, result.Error, StringComparison.Ordinal);
        }
    }
}
