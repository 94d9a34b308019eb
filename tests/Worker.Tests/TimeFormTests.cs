using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// Applications whose times are numbers, texts or parts of ids: 0 and '' are not set, and nothing asks them to write another type.
/// </summary>
public sealed class TimeFormTests(TestServers servers) : TimeForms(servers)
{
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
}
