using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests.Query;

/// <summary>Where a text was written, through the command line.</summary>
public sealed class SearchVerbTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Session")]
    [InlineData("Bundle")]
    public async Task Finds_lines_whatever_the_case_and_marks_the_hit(string layout)
    {
        await using var archiver = await ArchivedAsync(layout);

        var found = await archiver.RunAsync("search", "ÖRDER 4711");
        var json = await archiver.RunAsync("search", "order 4711", "--json");
        var none = await archiver.RunAsync("search", "order 4712");

        Assert.Equal(0, found.ExitCode);
        var session = await archiver.Database.ScalarAsync<string>(
            "SELECT session_id FROM archiver.archives ORDER BY session_id COLLATE \"C\" LIMIT 1"
        );
        Assert.Equal($"{session}~1  2020-01-02T03:04:05.000006Z  user\n    about the »Örder 4711« please\n", found.Output);
        Assert.Equal((1, ""), (none.ExitCode, none.Output));
        Assert.Contains("archiver: No archived message has this text.", none.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("4712", none.Error, StringComparison.Ordinal);
        Assert.Equal((1, ""), (json.ExitCode, json.Output));
    }

    [Fact]
    public async Task Prints_json_and_the_newest_first_within_the_limit()
    {
        await using var archiver = await ArchivedAsync("Session");

        var all = (await archiver.RunAsync("search", "needle", "--json"))
            .Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => JsonElement.Parse(l))
            .ToList();
        var newest = await archiver.RunAsync("search", "needle", "--limit", "1", "--json");
        var ofUser = await archiver.RunAsync(
            "search",
            "needle",
            "--user",
            all[0].GetProperty("user").GetString()!,
            "--session",
            all[0].GetProperty("session_id").GetString()!,
            "--json"
        );
        var otherTime = await archiver.RunAsync("search", "needle", "--to", "1999-01-01");

        Assert.True(all.Count > 2);
        Assert.Equal(
            all.Select(h => h.GetProperty("time").GetString()).OrderDescending(),
            all.Select(h => h.GetProperty("time").GetString())
        );
        Assert.All(all, h =>
            Assert.Equal(
                "NeedLe",
                h.GetProperty("line").GetString()!.Substring(h.GetProperty("start").GetInt32(), h.GetProperty("length").GetInt32())
            )
        );
        Assert.Equal(all[0].ToString(), newest.Output.TrimEnd());
        Assert.Contains(
            $"{all.Count} lines have it; these are the newest 1. More: --limit {all.Count}",
            newest.Error,
            StringComparison.Ordinal
        );
        Assert.Contains(all[0].ToString(), ofUser.Output, StringComparison.Ordinal);
        Assert.Equal(1, otherTime.ExitCode);
        Assert.Contains("No archive matches.", otherTime.Error, StringComparison.Ordinal);
        Assert.Equal(4, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.audit WHERE action = 'search'"));
        Assert.DoesNotContain(
            "needle",
            await archiver.Database.CopyOutAsync("SELECT * FROM archiver.audit"),
            StringComparison.OrdinalIgnoreCase
        );
    }

    [Fact]
    public async Task Prints_every_line_of_a_message_that_has_the_text_in_its_order()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0, messages: 1);
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_messages SET content = (SELECT string_agg('needle ' || i, E'\\n') FROM generate_series(1, 20000) AS i)"
        );
        await archiver.RunAsync("archive");

        var found = await archiver.RunAsync("search", "needle", "--limit", "3", "--json");

        Assert.True(found.ExitCode == 0, found.Error);
        Assert.Equal(
            ["needle 1", "needle 2", "needle 3"],
            found
                .Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(l => JsonElement.Parse(l).GetProperty("line").GetString())
        );
        Assert.Contains("20000 lines have it; these are the newest 3.", found.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("a\nb")]
    public async Task Refuses_a_text_that_is_none(string text)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1);

        var result = await archiver.RunAsync("search", text);

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
    }

    private async Task<Installation> ArchivedAsync(string layout)
    {
        var archiver = await Installation.CreateAsync(servers, Token, idle: 4, young: 0, messages: 2);
        await archiver.Database.ExecuteAsync(
            """
            UPDATE chat_messages SET content = E'first line\nthe NeedLe here\nlast line' WHERE role = 'user';
            UPDATE chat_messages SET content = E'hello\nabout the Örder 4711 please\nthanks', timestamp = '2020-01-02 03:04:05.000006Z',
              role = 'user'
            WHERE id = (SELECT max(id) FROM chat_messages
              WHERE session_id = (SELECT session_id FROM chat_sessions ORDER BY session_id::text COLLATE "C" LIMIT 1))
            """
        );
        Assert.Equal(0, (await archiver.With("Storage:Layout", layout).RunAsync("archive")).ExitCode);
        return archiver;
    }
}
