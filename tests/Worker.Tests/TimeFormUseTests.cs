using System.Globalization;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Holds, erasures, searches and rebuilt ledgers where times are numbers, texts or parts of ids.</summary>
public sealed class TimeFormUseTests(TestServers servers) : TimeForms(servers)
{
    [Theory]
    [InlineData("epoch-ms", "bigint", "(extract(epoch FROM {0}) * 1000)::bigint")]
    [InlineData("text", "text", "to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')")]
    public async Task A_rebuilt_ledger_holds_and_erases_by_these_times(string form, string type, string value)
    {
        await using var archiver = await CreateAsync(type, form, value, "NULL");
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        var before = await TimesAsync();
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE", Token);

        var rebuilt = await archiver.RunAsync("ledger", "rebuild");

        Assert.True(rebuilt.ExitCode == 0, rebuilt.Error + rebuilt.Output);
        Assert.Equal(before, await TimesAsync());
        var (from, to) = (
            TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(-210),
            TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(-190)
        );
        Assert.Equal(0, (await archiver.RunAsync("hold", "add", "--from", Day(from), "--to", Day(to), "--reason", "case")).ExitCode);
        Assert.Contains("held", (await archiver.RunAsync("erase", "1", "--yes")).Error, StringComparison.Ordinal);
        Assert.Equal(0, (await archiver.RunAsync("hold", "remove", "1")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("erase", "1", "--yes")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("restore", "6")).ExitCode);

        Task<string?> TimesAsync() =>
            archiver.Database.ScalarAsync<string?>(
                "SELECT string_agg(session_id || ' ' || session_created_at || ' ' || session_first_activity || ' ' || "
                    + "session_last_activity, ', ' ORDER BY session_id) FROM archiver.archives",
                Token
            );
        static string Day(DateTime time) => time.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task A_search_shows_when_a_message_was_written_whatever_form_its_time_has()
    {
        await using var archiver = await CreateAsync("bigint", "epoch-ms", "(extract(epoch FROM {0}) * 1000)::bigint", "0");
        await archiver.Database.ExecuteAsync("UPDATE posts SET at = 1600000000123 WHERE id = 1", Token);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);

        Assert.Contains("2020-09-13T12:26:40.123000Z", (await archiver.RunAsync("search", "hello")).Output, StringComparison.Ordinal);
    }

    // As JavaScript, mail and ISO 8601 in its short form write times: whoever reads only one form must not take what he cannot read for
    // old.
    [Theory]
    [InlineData("text", "text", "'Sun Nov 29 2026 10:00:00 GMT+0000'")]
    [InlineData("text", "text", "'20261129T100000Z'")]
    [InlineData("uuid", "uuid-v7", "gen_random_uuid()")]
    [InlineData("bigint", "epoch-s", "1795946400000")]
    public async Task A_message_whose_time_cannot_be_read_keeps_its_session_and_every_hold_of_a_range_covers_it(
        string type,
        string form,
        string value
    )
    {
        await using var archiver = await TimedChats.CreateAsync(
            Servers,
            $"""
            CREATE TABLE chats (id int PRIMARY KEY, seen timestamptz NOT NULL);
            CREATE TABLE posts (id int PRIMARY KEY, chat_id int NOT NULL REFERENCES chats, at {type});
            CREATE INDEX ON posts (chat_id); CREATE INDEX ON chats (seen, id);
            INSERT INTO chats VALUES (1, now() - interval '200 days'), (2, now() - interval '200 days');
            INSERT INTO posts VALUES (1, 1, NULL), (2, 2, {value});
            """,
            new()
            {
                ["Session:Activity:0"] = "seen",
                ["Children:messages:Table"] = "posts",
                ["Children:messages:ForeignKey"] = "chat_id",
                ["Children:messages:ParentKey"] = "id",
                ["Children:messages:Key"] = "id",
                ["Children:messages:Order:0"] = "id",
                ["Children:messages:Time:Column"] = "at",
                ["Children:messages:Time:As"] = form,
            }
        );

        var hold = await archiver.RunAsync("hold", "add", "--from", "2001-01-01", "--to", "2001-02-01", "--reason", "court");
        var archived = await archiver.RunAsync("archive");
        var explained = await archiver.RunAsync("explain", "2");

        Assert.True(hold.ExitCode == 0 && archived.ExitCode == 0, hold.Error + archived.Error);
        Assert.Contains("it covers 1 session in the database", hold.Output, StringComparison.Ordinal);
        Assert.Equal("2", await TimedChats.LiveAsync(archiver));
        Assert.Contains("unknown activity", explained.Output, StringComparison.Ordinal);
    }
}
