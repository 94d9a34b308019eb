using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Keys of the types that applications have, also where a child keeps its session's key in a column of another type.</summary>
public sealed class KeyTypeTests(TestServers servers)
{
    private const string Old = "11111111-aaaa-4aaa-8aaa-aaaaaaaaaaa1",
        Young = "22222222-aaaa-4aaa-8aaa-aaaaaaaaaaa2",
        OldNumber = "41",
        YoungNumber = "42";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("uuid", "text", "text", Old, Young)]
    [InlineData("text", "uuid", "uuid", Old, Young)]
    [InlineData("varchar(40)", "uuid", "uuid", Old, "no uuid at all")]
    [InlineData("bigint", "varchar(20)", "text", OldNumber, YoungNumber)]
    [InlineData("text", "bigint", "bigint", OldNumber, "x")]
    [InlineData("numeric(20,0)", "numeric(20,0)", null, OldNumber, YoungNumber)]
    [InlineData("char(40)", "char(40)", null, "short", Young)]
    [InlineData("name_of", "name_of", null, Old, Young)]
    // The same id, written otherwise than in the session: by a client on a phone, by another language, by hand.
    [InlineData("text", "uuid", "uuid", "11111111-AAAA-4AAA-8AAA-AAAAAAAAAAA1", Young)]
    [InlineData("text", "uuid", "uuid", "{11111111aaaa4aaa8aaaaaaaaaaaaaa1}", Young)]
    [InlineData("uuid", "text", "text", Old, Young, "11111111-AAAA-4AAA-8AAA-AAAAAAAAAAA1")]
    [InlineData("uuid", "varchar(40)", "text", Old, Young, "11111111aaaa4aaa8aaaaaaaaaaaaaa1")]
    [InlineData("uuid_of", "text", "text", Old, Young, "11111111-AAAA-4AAA-8AAA-AAAAAAAAAAA1")]
    [InlineData("narrow_of", "text_of", "text", Old, Young, "11111111aaaa4aaa8aaaaaaaaaaaaaa1")]
    [InlineData("text", "bigint", "bigint", "1234567890123456789", YoungNumber)]
    [InlineData("text", "bigint", "bigint", "-9223372036854775808", "9999999999999999999")]
    [InlineData("text", "bigint", "bigint", "007", YoungNumber)]
    [InlineData("numeric", "bigint", "bigint", "7.00", YoungNumber)]
    [InlineData("numeric", "numeric", null, "7.00", YoungNumber, "7")]
    [InlineData("numeric(20,0)", "numeric(20,2)", null, OldNumber, YoungNumber)]
    public async Task Sessions_and_their_rows_are_archived_restored_and_erased(
        string key,
        string foreignKey,
        string? cast,
        string old,
        string young,
        string? written = null
    )
    {
        // 7.00 is a numeric and no text of a bigint.
        var value = $"'{written ?? old}'{(key == "numeric" ? "::numeric" : "")}";
        await using var archiver = await Installation.CreateAsync(
            servers,
            $"""
            CREATE DOMAIN name_of AS varchar(50) CHECK (length(value) > 3);
            CREATE DOMAIN text_of AS text; CREATE DOMAIN uuid_of AS uuid; CREATE DOMAIN narrow_of AS uuid_of CHECK (value IS NOT NULL);
            CREATE TABLE chats (id {key} PRIMARY KEY, seen timestamptz NOT NULL);
            CREATE TABLE posts (id int PRIMARY KEY, chat_id {foreignKey} NOT NULL, at timestamptz NOT NULL, gone timestamptz);
            CREATE TABLE files (id int PRIMARY KEY, post_id text NOT NULL);
            CREATE INDEX ON posts (chat_id); CREATE INDEX ON files (post_id); CREATE INDEX ON chats (seen, id);
            INSERT INTO chats VALUES ('{old}', now() - interval '200 days'), ('{young}', now());
            INSERT INTO posts SELECT n, {value}, now() - interval '200 days' FROM generate_series(1, 3) AS n;
            INSERT INTO files SELECT n, n::text FROM generate_series(1, 3) AS n;
            """,
            Token
        );
        MapChats(archiver);
        foreach (
            var (name, text) in new Dictionary<string, string?>
            {
                ["Children:messages:Time"] = "at",
                ["Children:messages:Deleted"] = "gone",
                ["Children:messages:Cast"] = cast,
                ["Children:files:Table"] = "files",
                ["Children:files:Parent"] = "messages",
                ["Children:files:ForeignKey"] = "post_id",
                ["Children:files:ParentKey"] = "id",
                ["Children:files:Order:0"] = "id",
                ["Children:files:Cast"] = "text",
            }
        )
            archiver.With($"Sources:main:Tables:{name}", text);
        archiver.With("Storage:Verify", "TrialRestore");
        Assert.Equal(0, (await archiver.RunAsync("migrate")).ExitCode);
        // A young message keeps its session.
        await archiver.Database.ExecuteAsync($"INSERT INTO posts VALUES (8, {value}, now())", Token);
        Assert.Equal((0, 2L), ((await archiver.RunAsync("archive")).ExitCode, await CountAsync("chats")));
        await archiver.Database.ExecuteAsync("DELETE FROM posts WHERE id = 8", Token);
        var rows = await RowsAsync(archiver);

        var archived = await archiver.RunAsync("archive");
        Assert.True(archived.ExitCode == 0, archived.Error + archived.Output);
        Assert.Equal((1L, 0L, 0L), (await CountAsync("chats"), await CountAsync("posts"), await CountAsync("files")));
        Assert.Equal(0, (await archiver.RunAsync("verify", "--restore-drill", "1")).ExitCode);
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE", Token);
        Assert.Equal(0, (await archiver.RunAsync("ledger", "rebuild")).ExitCode);
        var restored = await archiver.RunAsync("restore", old);
        Assert.True(restored.ExitCode == 0, restored.Error + restored.Output);
        Assert.Equal(rows, await RowsAsync(archiver));
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = now() - interval '60 days'", Token);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        // A message that came late belongs to it, and no server's key ties it to anything.
        await archiver.Database.ExecuteAsync($"INSERT INTO posts VALUES (9, {value}, now())", Token);
        var erased = await archiver.RunAsync("erase", old, "--yes");
        Assert.True(erased.ExitCode == 0, erased.Error + erased.Output);
        Assert.Equal((1L, 0L), (await CountAsync("chats"), await CountAsync("posts")));

        Task<long> CountAsync(string table) => archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM {table}", Token);
    }

    // Only the message is of the held days, and it writes its session's id in capitals.
    [Theory]
    [InlineData("uuid")]
    [InlineData("uuid_of")]
    public async Task A_hold_of_a_range_covers_a_session_for_a_message_that_writes_its_id_otherwise(string key)
    {
        await using var archiver = await Installation.CreateAsync(
            servers,
            $"""
            CREATE DOMAIN uuid_of AS uuid;
            CREATE TABLE chats (id {key} PRIMARY KEY, seen timestamptz NOT NULL);
            CREATE TABLE posts (id int PRIMARY KEY, chat_id text NOT NULL, at timestamptz NOT NULL);
            CREATE INDEX ON posts (chat_id); CREATE INDEX ON chats (seen, id);
            INSERT INTO chats SELECT id::uuid, now() - interval '200 days' FROM unnest(ARRAY['{Old}', '{Young}']) AS id;
            INSERT INTO posts VALUES (1, upper('{Old}'), '2001-01-15 12:00Z'), (2, upper('{Young}'), '2001-02-15 12:00Z');
            """,
            Token
        );
        MapChats(archiver);
        archiver.With("Sources:main:Tables:Children:messages:Time", "at").With("Sources:main:Tables:Children:messages:Cast", "text");
        foreach (var verb in new[] { "migrate", "hold add --from 2001-01-15 --to 2001-01-16 --reason case", "archive" })
            Assert.Equal((verb, 0), (verb, (await archiver.RunAsync(verb.Split(' '))).ExitCode));

        Assert.Equal(Old, await archiver.Database.ScalarAsync<string>("SELECT string_agg(id::text, ',') FROM chats", Token));
    }

    [Theory]
    [InlineData("int", "numeric(20,2)")]
    [InlineData("numeric(20,2)", "bigint")]
    [InlineData("numeric(20,2)", "numeric(20,4)")]
    [InlineData("int", "text")]
    // Texts that are the same value now and were two before; a run goes on when somebody has looked.
    [InlineData("text", "bigint", true)]
    [InlineData("numeric(20,2)", "text", true)]
    public async Task A_hold_stays_when_the_key_gets_another_type(string type, string later, bool unclear = false)
    {
        await using var archiver = await Installation.CreateAsync(
            servers,
            $"""
            CREATE TABLE chats (id {type} PRIMARY KEY, seen timestamptz NOT NULL);
            CREATE TABLE posts (id int PRIMARY KEY, chat_id {type} NOT NULL);
            CREATE INDEX ON posts (chat_id); CREATE INDEX ON chats (seen, id);
            INSERT INTO chats SELECT n::text::{type}, now() - interval '200 days' FROM generate_series(7, 10) AS n;
            INSERT INTO posts SELECT n, n::text::{type} FROM generate_series(7, 10) AS n;
            """,
            Token
        );
        MapChats(archiver);
        Assert.Equal(0, (await archiver.RunAsync("migrate")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("hold", "add", "--session", "10", "--reason", "case")).ExitCode);
        await archiver.Database.ExecuteAsync(
            $"ALTER TABLE chats ALTER COLUMN id TYPE {later} USING id::{later}; ALTER TABLE posts ALTER COLUMN chat_id TYPE {later} USING "
                + $"chat_id::{later}",
            Token
        );

        var archived = await archiver.RunAsync("archive");

        Assert.True(archived.ExitCode == (unclear ? 3 : 0), archived.Error + archived.Output);
        if (unclear)
        {
            Assert.Contains("may write the same id otherwise", archived.Error, StringComparison.Ordinal);
            Assert.Equal(4, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chats", Token));
            Assert.Equal(0, (await archiver.RunAsync("source", "rename", "main", "main")).ExitCode);
            Assert.Equal(
                0,
                (await archiver.RunAsync("hold", "add", "--session", later == "text" ? "10.00" : "10", "--reason", "case")).ExitCode
            );
            archived = await archiver.RunAsync("archive");
            Assert.True(archived.ExitCode == 0, archived.Error + archived.Output);
        }
        Assert.Equal(
            "10",
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(trunc(id::numeric)::text, ',') FROM chats", Token)
        );
    }

    private static void MapChats(Installation archiver) =>
        archiver
            .With("Sources:main:Tables:Session:Table", "chats")
            .With("Sources:main:Tables:Session:Key", "id")
            .With("Sources:main:Tables:Session:Activity:0", "seen")
            .With("Sources:main:Tables:Children:messages:Table", "posts")
            .With("Sources:main:Tables:Children:messages:ForeignKey", "chat_id")
            .With("Sources:main:Tables:Children:messages:ParentKey", "id")
            .With("Sources:main:Tables:Children:messages:Key", "id")
            .With("Sources:main:Tables:Children:messages:Order:0", "id");

    private static async Task<string> RowsAsync(Installation archiver) =>
        await archiver.Database.CopyOutAsync("SELECT * FROM chats ORDER BY id")
        + await archiver.Database.CopyOutAsync("SELECT * FROM posts ORDER BY id")
        + await archiver.Database.CopyOutAsync("SELECT * FROM files ORDER BY id");
}
