using System.Globalization;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// Applications whose times are numbers, texts or parts of ids: 0 and '' are not set, and nothing asks them to write another type.
/// </summary>
public sealed class TimeFormTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Column type, form, how the application makes a value of an instant, and what it writes where there is none.</summary>
    public static TheoryData<string, string, string, string> Forms =>
        new()
        {
            { "bigint", "epoch-s", "extract(epoch FROM {0})::bigint", "0" },
            { "integer", "epoch-s", "extract(epoch FROM {0})::int", "0" },
            { "double precision", "epoch-s", "extract(epoch FROM {0})::float8", "0" },
            { "bigint", "epoch-ms", "(extract(epoch FROM {0}) * 1000)::bigint", "0" },
            { "numeric", "epoch-ms", "extract(epoch FROM {0}) * 1000", "-1" },
            { "bigint", "epoch-us", "(extract(epoch FROM {0}) * 1000000)::bigint", "NULL" },
            { "text", "text", "to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')", "''" },
            { "varchar(40)", "text", "to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')", "'never'" },
            { "char(30)", "text", "to_char({0} AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+05:30\"')", "NULL" },
        };

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Sessions_whose_times_are_no_timestamps_are_archived_restored_and_reactivated(
        string type,
        string form,
        string value,
        string unset
    )
    {
        await using var archiver = await CreateAsync(type, form, value, unset);
        var rows = await RowsAsync(archiver);

        var archived = await archiver.RunAsync("archive");
        Assert.True(archived.ExitCode == 0, archived.Error + archived.Output);
        Assert.Equal("2,3,4,5", await TimedChats.LiveAsync(archiver));
        await SaysWhenAsync(archiver);
        Assert.Equal(
            "old",
            await archiver.Database.ScalarAsync<string>(
                "SELECT CASE WHEN session_created_at < now() - interval '299 days' "
                    + "THEN 'old' END FROM archiver.archives WHERE session_id = '1'",
                Token
            )
        );

        Assert.Equal(0, (await archiver.RunAsync("restore", "1", "6")).ExitCode);
        Assert.Equal(rows, await RowsAsync(archiver));

        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = now() - interval '60 days'", Token);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        var back = await archiver.RunAsync("restore", "1", "6", "--reactivate");
        Assert.True(back.ExitCode == 0, back.Error + back.Output);
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = now() - interval '60 days'", Token);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal("1,2,3,4,5,6", await TimedChats.LiveAsync(archiver));
        // As the application writes them, or it would not read them.
        Assert.Equal(
            "1",
            await archiver.Database.ScalarAsync<string>(
                "SELECT count(DISTINCT translate(seen::text, '123456789', '000000000'))::text FROM chats WHERE id IN (1, 2)",
                Token
            )
                is var ways
            && form == "text"
                ? ways
                : "1"
        );
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task What_nobody_deleted_is_not_purged_and_comes_back_undeleted(string type, string form, string value, string unset)
    {
        await using var archiver = await CreateAsync(type, form, value, unset);
        archiver
            .With("Sources:main:Policies:gone:Action", "Purge")
            .With("Sources:main:Policies:gone:DeletedFor", "30d")
            .With("Sources:main:Policies:old:Action", "Archive")
            .With("Sources:main:Policies:old:DeletedFor", "10d")
            .With("Sources:main:Policies:idle:Paused", "true");
        await archiver.Database.ExecuteAsync(
            $"UPDATE chats SET gone = {TimedChats.Of(value, "now() - interval '60 days'")} WHERE id = 2; "
                + $"UPDATE chats SET gone = {TimedChats.Of(value, "now() - interval '20 days'")} WHERE id = 6; UPDATE chats SET gone = "
                + $"{TimedChats.Of(value, "now() - interval '5 days'")} WHERE id = 5",
            Token
        );

        Assert.Equal(0, (await archiver.RunAsync("purge")).ExitCode);
        Assert.Equal("1,3,4,5,6", await TimedChats.LiveAsync(archiver));
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal("1,3,4,5", await TimedChats.LiveAsync(archiver));
        Assert.Equal(0, (await archiver.RunAsync("restore", "6", "--reactivate")).ExitCode);

        // What stands there where the application says that it is not deleted.
        Assert.Equal(
            "true",
            await archiver.Database.ScalarAsync<string>(
                "SELECT (a.gone IS NOT DISTINCT FROM b.gone OR a.gone IS NULL "
                    + "AND b.gone::text = 'never')::text FROM chats AS a, chats AS b WHERE a.id = 6 AND b.id = 1",
                Token
            )
        );
    }

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

    private static async Task SaysWhenAsync(Installation archiver) =>
        Assert.Equal(
            "200 200",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(round(extract(epoch FROM now() - session_last_activity) / 86400)::text, ' ') FROM archiver.archives",
                Token
            )
        );

    private static async Task<string> RowsAsync(Installation archiver) =>
        await archiver.Database.CopyOutAsync("SELECT * FROM chats ORDER BY id")
        + await archiver.Database.CopyOutAsync("SELECT * FROM posts ORDER BY id");

    /// <summary>1 and 6 are old; 2 is young; of 3 nothing is known; 4 is of tomorrow; 5 has a young message.</summary>
    private async Task<Installation> CreateAsync(string type, string form, string value, string unset)
    {
        return await TimedChats.CreateAsync(
            servers,
            $"""
            CREATE TABLE chats (id int PRIMARY KEY, seen {type}, made {type}, gone {type}, title text);
            CREATE TABLE posts (id int PRIMARY KEY, chat_id int NOT NULL REFERENCES chats, at {type}, body text);
            CREATE INDEX ON chats (seen, id); CREATE INDEX ON chats (gone, id); CREATE INDEX ON posts (chat_id);
            INSERT INTO chats
            SELECT id, CASE id WHEN 3 THEN {unset}
              ELSE {TimedChats.Of(value, "now() - days * interval '1 day'")} END, {TimedChats.Of(value, "now() - interval '300 days'")},
                {unset}, 't' || id
            FROM (VALUES (1, 200), (2, 1), (3, 0), (4, -1), (5, 200), (6, 200)) AS s (id, days);
            INSERT INTO posts SELECT id, id, {TimedChats.Of(value, "now() - interval '250 days'")}, 'hello' FROM chats;
            INSERT INTO posts VALUES (51, 5, {TimedChats.Of(value, "now() - interval '1 day'")}, 'again'), (61, 6, {unset}, 'when?');
            """,
            new()
            {
                ["Session:Activity:0:Column"] = "seen",
                ["Session:Activity:0:As"] = form,
                ["Session:Created:Column"] = "made",
                ["Session:Created:As"] = form,
                ["Session:Deleted:Column"] = "gone",
                ["Session:Deleted:As"] = form,
                ["Children:messages:Table"] = "posts",
                ["Children:messages:ForeignKey"] = "chat_id",
                ["Children:messages:ParentKey"] = "id",
                ["Children:messages:Key"] = "id",
                ["Children:messages:Order:0"] = "id",
                ["Children:messages:Time:Column"] = "at",
                ["Children:messages:Time:As"] = form,
            }
        );
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
            servers,
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
