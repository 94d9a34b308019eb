using Archiver.Testing;
using Archiver.Worker.Tests.Http;

namespace Archiver.Worker.Tests;

/// <summary>
/// Sessions that several columns name together. The tables of each test have two sessions that differ in a single one of them.
/// </summary>
public sealed class CompositeKeyTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

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
                """["2025-02-03","2025-01-01T10:11:12.5","1.50"]"""
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

    [Fact]
    public async Task Inspection_refuses_columns_that_are_not_unique_together_or_may_be_null_or_lack_an_index()
    {
        await using var archiver = await TextsAsync();
        await archiver.Database.ExecuteAsync(
            "ALTER TABLE posts DROP CONSTRAINT posts_chat; ALTER TABLE chats DROP CONSTRAINT chats_pkey; "
                + "ALTER TABLE chats ALTER COLUMN b DROP NOT NULL; DROP INDEX posts_of; CREATE INDEX ON posts (chat_a, chat_b); CREATE "
                + "UNIQUE INDEX ON chats (a, seen)",
            Token
        );

        var plan = await archiver.RunAsync("plan");

        Assert.True(plan.ExitCode == 3, plan.Error);
        Assert.Contains("Column \"b\" (Key) of table public.chats may be NULL", plan.Error, StringComparison.Ordinal);
        Assert.Contains(
            "Columns \"a\", \"b\", \"c\" (Key) of table public.chats have no valid unique index",
            plan.Error,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("(ParentKey)", plan.Error, StringComparison.Ordinal);
        Assert.Contains("Where the application never writes the same values together twice", plan.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("CREATE UNIQUE INDEX", plan.Error, StringComparison.Ordinal);
        Assert.Contains(
            "Columns \"chat_c\", \"chat_a\", \"chat_b\" (ForeignKey) of table public.posts (messages) lead no usable index",
            plan.Error,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "CREATE INDEX CONCURRENTLY ON \"public\".\"posts\" (\"chat_c\", \"chat_a\", \"chat_b\")",
            plan.Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Inspection_names_the_columns_that_are_unique_together_where_the_mapped_one_is_not()
    {
        await using var archiver = await TextsAsync();
        foreach (
            var (path, column) in new[]
            {
                ("Session:Key", "b"),
                ("Children:messages:ForeignKey", "chat_b"),
                ("Children:messages:ParentKey", "b"),
            }
        )
            archiver
                .With($"Sources:main:Tables:{path}:0", column)
                .With($"Sources:main:Tables:{path}:1", null)
                .With($"Sources:main:Tables:{path}:2", null);

        var plan = await archiver.RunAsync("plan");

        Assert.True(plan.ExitCode == 3, plan.Error);
        Assert.Contains("or list columns that are unique together, such as [\"a\", \"b\", \"c\"].", plan.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspection_refuses_a_key_that_ties_by_some_of_the_columns_only()
    {
        await using var archiver = await TextsAsync();
        await archiver.Database.ExecuteAsync(
            "ALTER TABLE chats ADD UNIQUE (c); ALTER TABLE posts ADD CONSTRAINT by_c FOREIGN KEY (chat_c) "
                + "REFERENCES chats (c) ON DELETE CASCADE",
            Token
        );

        var plan = await archiver.RunAsync("plan");

        Assert.True(plan.ExitCode == 3, plan.Error);
        Assert.Contains("\"by_c\"", plan.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Archives_of_the_time_when_the_key_had_one_column_are_listed_and_shown_and_stop_nothing()
    {
        await using var archiver = await TextsAsync();
        archiver.With("Sources:main:Policies:idle:DeleteAfter", "1d");
        await DoneAsync(archiver, "archive");
        await archiver.Database.ExecuteAsync(
            "UPDATE archiver.archives SET session_id = 'one', stored_at = now() - interval '2 days'",
            Token
        );

        await DoneAsync(archiver, "archive");

        Assert.Equal("2 4 8", await CountsAsync(archiver));
        Assert.Equal(
            ["one", Id],
            (await archiver.Database.ScalarAsync<string[]>("SELECT array_agg(session_id ORDER BY id) FROM archiver.archives", Token))!
        );
        await DoneAsync(archiver, "show", "one");
        await DoneAsync(archiver, "hold", "add", "--session", "one", "--reason", "case");
        await DoneAsync(archiver, "verify", "--all");
        await DoneAsync(archiver, "reconcile");
    }

    [Fact]
    public async Task Other_columns_as_the_key_are_refused_while_archives_go_by_these()
    {
        await using var archiver = await TextsAsync();
        await DoneAsync(archiver, "archive");
        foreach (
            var (child, last) in new[]
            {
                ("Session:Key", "a"),
                ("Children:messages:ForeignKey", "chat_a"),
                ("Children:messages:ParentKey", "a"),
            }
        )
        {
            archiver
                .With($"Sources:main:Tables:{child}:1", null)
                .With($"Sources:main:Tables:{child}:2", null)
                .With($"Sources:main:Tables:{child}:0", last);
        }

        var refused = await archiver.RunAsync("list");

        Assert.True(refused.ExitCode == 3, refused.Error);
        Assert.Contains(
            "by column [\"a\",\"b\",\"c\"] in this ledger, and the configuration maps \"a\" as Key",
            refused.Error,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(
        "archive",
        "archive.exported",
        "archive.object-stored",
        "archive.rows-deleted",
        "archive.delete-ready",
        "archive.delete-committed"
    )]
    [InlineData("restore", "restore.staged", "restore.inserted", "restore.committed")]
    [InlineData("erase", "erase.buried", "erase.rows-deleted", "erase.objects-removed")]
    public async Task Killed_between_its_steps_and_given_again_a_verb_ends_as_if_it_had_not_been(string verb, params string[] points)
    {
        await using var archiver = await TextsAsync();
        var rows = await RowsAsync(archiver);
        if (verb != "archive")
            await DoneAsync(archiver, "archive");
        if (verb == "erase")
        {
            await DoneAsync(archiver, "restore", Id);
            await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = now() - interval '60 days'", Token);
        }
        string[] command = verb switch
        {
            "archive" => ["archive"],
            "restore" => ["restore", Id, "--on-conflict", "skip"],
            _ => ["erase", Id, "--yes"],
        };
        foreach (var point in points)
        {
            await using var killed = archiver.Start(ProcessFault.At(point), command);
            var result = await killed.WaitForExitAsync(Token);
            // What an earlier crash left done does not come to the point again.
            Assert.True(result.ExitCode is ProcessFault.Killed or 0, result.Error);
        }

        await DoneAsync(archiver, command);

        if (verb == "restore")
            Assert.Equal(rows, await RowsAsync(archiver));
        else
            Assert.Equal("1 2 4", await CountsAsync(archiver));
        if (verb == "archive")
            await DoneAsync(archiver, "restore", Id);
        if (verb == "archive")
            Assert.Equal(rows, await RowsAsync(archiver));
    }

    private const string Id = """["x","y","one"]""";

    private Task<Installation> TextsAsync() => CreateAsync(["text", "text", "text"], ["x", "y", "one"], "two");

    private static async Task<ProcessResult> DoneAsync(Installation archiver, params string[] arguments)
    {
        var result = await archiver.RunAsync(arguments);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', arguments)}: {result.ExitCode} {result.Error}{result.Output}");
        return result;
    }

    private static Task<string?> CountsAsync(Installation archiver) =>
        archiver.Database.ScalarAsync<string?>(
            "SELECT (SELECT count(*) FROM chats) || ' ' || (SELECT count(*) FROM posts) || ' ' || (SELECT count(*) FROM files)",
            Token
        );

    private static async Task<string> RowsAsync(Installation archiver) =>
        await archiver.Database.CopyOutAsync("SELECT * FROM chats ORDER BY c")
        + await archiver.Database.CopyOutAsync("SELECT * FROM posts ORDER BY 1, 2, 3, 4")
        + await archiver.Database.CopyOutAsync("SELECT * FROM files ORDER BY no");

    /// <summary>
    /// The foreign key names its columns in another order than the key; files point to posts, whose own key has four columns.
    /// </summary>
    private async Task<Installation> CreateAsync(string[] types, string[] values, string young)
    {
        var (old, two) = ($"'{values[0]}', '{values[1]}', '{values[2]}'", $"'{values[0]}', '{values[1]}', '{young}'");
        var archiver = await Installation.CreateAsync(
            servers,
            $"""
            CREATE TABLE chats (a {types[0]}, b {types[1]}, c {types[2]}, seen timestamptz NOT NULL,
              CONSTRAINT chats_pkey PRIMARY KEY (a, b, c));
            CREATE TABLE posts (id int, chat_a {types[0]}, chat_b {types[1]}, chat_c {types[2]}, at timestamptz NOT NULL, gone timestamptz,
              body text,
              PRIMARY KEY (id, chat_a, chat_b, chat_c),
                CONSTRAINT posts_chat FOREIGN KEY (chat_c, chat_a, chat_b) REFERENCES chats (c, a, b) ON DELETE CASCADE);
            CREATE TABLE files (no serial PRIMARY KEY, post int, a {types[0]}, b {types[1]}, c {types[2]},
              FOREIGN KEY (post, a, b, c) REFERENCES posts (id, chat_a, chat_b, chat_c) ON DELETE CASCADE);
            CREATE INDEX posts_of ON posts (chat_a, chat_b, chat_c); CREATE INDEX ON files (a, b, c, post); CREATE INDEX
              ON chats (seen, a, b, c);
            INSERT INTO chats VALUES ({old}, now() - interval '200 days'), ({two}, now());
            INSERT INTO posts SELECT n, a, b, c, seen, NULL, 'hello' FROM chats, generate_series(1, 2) AS n;
            INSERT INTO files (post, a, b, c) SELECT id, chat_a, chat_b, chat_c FROM posts, generate_series(1, 2);
            """,
            Token
        );
        foreach (
            var (name, text) in new Dictionary<string, string?>
            {
                ["Session:Table"] = "chats",
                ["Session:Key:0"] = "a",
                ["Session:Key:1"] = "b",
                ["Session:Key:2"] = "c",
                ["Session:Activity:0"] = "seen",
                ["Children:messages:Table"] = "posts",
                ["Children:messages:ForeignKey:0"] = "chat_c",
                ["Children:messages:ForeignKey:1"] = "chat_a",
                ["Children:messages:ForeignKey:2"] = "chat_b",
                ["Children:messages:ParentKey:0"] = "c",
                ["Children:messages:ParentKey:1"] = "a",
                ["Children:messages:ParentKey:2"] = "b",
                ["Children:messages:Key:0"] = "id",
                ["Children:messages:Key:1"] = "chat_a",
                ["Children:messages:Key:2"] = "chat_b",
                ["Children:messages:Key:3"] = "chat_c",
                ["Children:messages:Order:0"] = "id",
                ["Children:messages:Time"] = "at",
                ["Children:messages:Deleted"] = "gone",
                ["Children:files:Table"] = "files",
                ["Children:files:Parent"] = "messages",
                ["Children:files:Key"] = "no",
                ["Children:files:Order:0"] = "no",
                ["Children:files:ForeignKey:0"] = "post",
                ["Children:files:ForeignKey:1"] = "a",
                ["Children:files:ForeignKey:2"] = "b",
                ["Children:files:ForeignKey:3"] = "c",
                ["Children:files:ParentKey:0"] = "id",
                ["Children:files:ParentKey:1"] = "chat_a",
                ["Children:files:ParentKey:2"] = "chat_b",
                ["Children:files:ParentKey:3"] = "chat_c",
            }
        )
            archiver.With($"Sources:main:Tables:{name}", text);
        await DoneAsync(archiver, "migrate");
        return archiver;
    }
}
