using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// Sessions that several columns name together. The tables of each test have two sessions that differ in a single one of them.
/// </summary>
public sealed class CompositeKeyTests(TestServers servers) : CompositeKeys(servers)
{
    /// <summary>Types of the three columns; values of an old session; the last value of a young one; the old one's id.</summary>
    public static TheoryData<string[], string[], string, string> Keys =>
        new()
        {
            { ["varchar(128)", "text", "varchar(128)"], ["a\"p,p", "ü/1", "it''s \\ %41"], "main", """["a\"p,p","ü/1","it's \\ %41"]""" },
            {
                ["uuid", "smallint", "bigint"],
                ["0b9c1111-aaaa-4aaa-8aaa-aaaaaaaaaaa1", "-7", "9007199254740993"],
                "42",
                """["0b9c1111-aaaa-4aaa-8aaa-aaaaaaaaaaa1","-7","9007199254740993"]"""
            },
            {
                ["int", "char(8)", "timestamptz"],
                ["1", "ab", "2025-01-01 00:00:00.12+02"],
                "2025-01-01 00:00:00+00",
                """["1","ab","2024-12-31T22:00:00.12Z"]"""
            },
            {
                ["date", "timestamp", "numeric"],
                ["2025-02-03", "2025-01-01 10:11:12.5", "1.50"],
                "2",
                """["2025-02-03","2025-01-01T10:11:12.5","1.5"]"""
            },
        };

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task Are_archived_held_drilled_restored_rebuilt_and_erased_by_their_id(
        string[] types,
        string[] values,
        string young,
        string id
    )
    {
        await using var archiver = await CreateAsync(types, values, young);
        var rows = await RowsAsync(archiver);

        Assert.Equal(0, (await archiver.RunAsync("hold", "add", "--session", id, "--reason", "case")).ExitCode);
        await DoneAsync(archiver, "archive");
        Assert.Equal(rows, await RowsAsync(archiver));
        Assert.Contains("held", (await archiver.RunAsync("explain", id)).Output, StringComparison.Ordinal);
        await DoneAsync(archiver, "hold", "remove", "1");
        await DoneAsync(archiver, "archive");
        Assert.Equal("1 2 4", await CountsAsync(archiver));
        Assert.Equal(
            id,
            await archiver.Database.ScalarAsync<string>("SELECT session_id FROM archiver.archives WHERE state = 'archived'", Token)
        );
        await DoneAsync(archiver, "verify", "--all", "--restore-drill", "1");
        await DoneAsync(archiver, "reconcile");
        Assert.Contains("\"messages\":[", (await DoneAsync(archiver, "show", id)).Output, StringComparison.Ordinal);
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE", Token);
        await DoneAsync(archiver, "ledger", "rebuild");
        Assert.Equal(
            $"{id} archived",
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(session_id || ' ' || state, ', ') FROM archiver.archives", Token)
        );
        // However it is written.
        await DoneAsync(archiver, "restore", id.Replace("\",\"", "\" , \"", StringComparison.Ordinal));
        Assert.Equal(rows, await RowsAsync(archiver));
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = now() - interval '60 days'", Token);
        await DoneAsync(archiver, "archive");
        await DoneAsync(archiver, "erase", id, "--yes");
        Assert.Equal("1 2 4", await CountsAsync(archiver));
        Assert.Equal(1, (await archiver.RunAsync("show", id)).ExitCode);
    }

    [Fact]
    public async Task A_version_in_the_way_gives_way_and_one_that_came_back_is_used_now()
    {
        await using var archiver = await TextsAsync();
        await DoneAsync(archiver, "archive");
        await DoneAsync(archiver, "restore", Id);
        await archiver.Database.ExecuteAsync("UPDATE posts SET body = 'edited' WHERE chat_c = 'one'", Token);
        Assert.Equal(1, (await archiver.RunAsync("restore", Id)).ExitCode);

        await DoneAsync(archiver, "restore", Id, "--on-conflict", "replace", "--reactivate");

        Assert.Equal("hello", await archiver.Database.ScalarAsync<string>("SELECT min(body) FROM posts WHERE chat_c = 'one'", Token));
        Assert.True(await archiver.Database.ScalarAsync<bool>("SELECT seen > now() - interval '1 hour' FROM chats WHERE c = 'one'", Token));
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives", Token));
        await archiver.Database.ExecuteAsync(
            "CREATE SCHEMA other; CREATE TABLE other.chats (LIKE chats); CREATE TABLE other.posts (LIKE "
                + "posts); CREATE TABLE other.files (LIKE files)",
            Token
        );
        await DoneAsync(archiver, "restore", Id, "--into-schema", "other");
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM other.posts", Token));
    }

    [Fact]
    public async Task What_is_marked_is_compared_and_deleted_later_and_read_back_into_tables()
    {
        await using var archiver = await TextsAsync();
        archiver
            .With("Sources:main:Policies:idle:DeleteAfter", "1d")
            .With("Storage:Verify", "TrialRestore")
            .With("Sources:main:Tables:Session:Archived", "archived");
        await archiver.Database.ExecuteAsync("ALTER TABLE chats ADD COLUMN archived boolean NOT NULL DEFAULT false", Token);
        await DoneAsync(archiver, "archive");
        Assert.Equal("one", await archiver.Database.ScalarAsync<string>("SELECT string_agg(c, ',') FROM chats WHERE archived", Token));
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET stored_at = now() - interval '2 days'", Token);

        await DoneAsync(archiver, "archive");

        Assert.Equal("1 2 4", await CountsAsync(archiver));
    }

    [Fact]
    public async Task Are_purged_expired_and_cleared_of_deleted_messages()
    {
        await using var archiver = await TextsAsync();
        archiver
            .With("Sources:main:Policies:idle:Paused", "true")
            .With("Sources:main:Tables:Session:Status", "status")
            .With("Sources:main:Policies:old:Action", "Expire")
            .With("Sources:main:Policies:old:IdleFor", "90d")
            .With("Sources:main:Policies:rows:Action", "Purge")
            .With("Sources:main:Policies:rows:Scope", "Messages")
            .With("Sources:main:Policies:rows:DeletedFor", "30d")
            .With("Sources:main:Policies:gone:Action", "Purge")
            .With("Sources:main:Policies:gone:IdleFor", "90d")
            .With("Sources:main:Policies:gone:Status:0", "expired");
        await archiver.Database.ExecuteAsync(
            "ALTER TABLE chats ADD COLUMN status text NOT NULL DEFAULT 'active'; UPDATE posts SET gone = "
                + "now() - interval '60 days' WHERE id = 1 AND chat_c = 'one'",
            Token
        );

        await DoneAsync(archiver, "expire");
        Assert.Equal("expired", await archiver.Database.ScalarAsync<string>("SELECT status FROM chats WHERE c = 'one'", Token));
        await DoneAsync(archiver, "purge", "--policy", "rows");
        Assert.Equal("2 3 6", await CountsAsync(archiver));
        await DoneAsync(archiver, "purge", "--policy", "gone");
        Assert.Equal("1 2 4", await CountsAsync(archiver));
    }
}
