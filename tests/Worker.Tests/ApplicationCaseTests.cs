using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Worker.Tests;

/// <summary>Schemas of applications that were seen to bring the archiver into trouble.</summary>
public sealed class ApplicationCaseTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static readonly Dictionary<string, string> Conversations = new()
    {
        ["Session:Table"] = "conversations",
        ["Session:Key"] = "id",
        ["Session:Activity:0"] = "seen",
        ["Session:User"] = "user_id",
        ["Children:messages:Table"] = "messages",
        ["Children:messages:ForeignKey"] = "conversation_id",
        ["Children:messages:ParentKey"] = "id",
        ["Children:messages:Key"] = "id",
        ["Children:messages:Order:0"] = "id",
    };

    private const string Tables = """
        CREATE TABLE conversations (id int PRIMARY KEY, user_id text, seen timestamptz NOT NULL);
        CREATE TABLE messages (id int PRIMARY KEY, conversation_id int NOT NULL REFERENCES conversations, text text);
        CREATE INDEX ON messages (conversation_id); CREATE INDEX ON conversations (seen, id);
        INSERT INTO conversations VALUES (1, 'u', now() - interval '200 days'), (2, 'v', now()), (3, 'w', now() - interval '200 days');
        INSERT INTO messages VALUES (11, 1, 'hello'), (21, 2, 'hello'), (31, 3, 'hello');
        """;

    [Fact]
    public async Task A_table_that_points_to_its_sibling_is_archived_restored_and_erased()
    {
        await using var archiver = await CreateAsync(
            """
            CREATE TABLE attachments (id int PRIMARY KEY, conversation_id int NOT NULL REFERENCES conversations,
              message_id int REFERENCES messages);
            CREATE INDEX ON attachments (conversation_id); CREATE INDEX ON attachments (message_id);
            INSERT INTO attachments VALUES (111, 1, 11), (311, 3, 31);
            """
        );
        foreach (
            var (key, value) in new[]
            {
                ("Table", "attachments"),
                ("ForeignKey", "conversation_id"),
                ("ParentKey", "id"),
                ("Key", "id"),
                ("Order:0", "id"),
            }
        )
            archiver.With($"Sources:main:Tables:Children:attachments:{key}", value);

        await ArchivesRestoresAndErasesAsync(archiver);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ON DELETE RESTRICT")]
    [InlineData("DEFERRABLE INITIALLY DEFERRED")]
    [InlineData("ON DELETE SET NULL")]
    [InlineData("ON DELETE CASCADE")]
    public async Task A_conversation_that_points_to_its_own_message_is_archived_restored_and_erased(string rule)
    {
        await using var archiver = await CreateAsync(
            $"""
            ALTER TABLE conversations ADD COLUMN current_id int REFERENCES messages {rule};
            CREATE INDEX ON conversations (current_id);
            UPDATE conversations SET current_id = id * 10 + 1;
            """
        );

        await ArchivesRestoresAndErasesAsync(archiver);
    }

    [Fact]
    public async Task A_key_that_would_change_other_rows_is_refused_before_the_ledger_is_there_too()
    {
        await using var archiver = await CreateAsync(
            "CREATE TABLE pins (id int PRIMARY KEY, message_id int REFERENCES messages ON DELETE SET NULL); "
                + "CREATE INDEX ON pins (message_id)"
        );

        var plan = await archiver.RunAsync("plan");

        Assert.Equal(3, plan.ExitCode);
        Assert.Contains("of table public.pins onto public.messages is ON DELETE SET NULL", plan.Error, StringComparison.Ordinal);
        Assert.Contains("archiver migrate", plan.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AFTER")]
    [InlineData("BEFORE")]
    public async Task A_trigger_that_names_its_table_without_a_schema_runs_as_in_the_application(string time)
    {
        await using var archiver = await CreateAsync(
            $"""
            ALTER TABLE conversations ADD COLUMN message_count int NOT NULL DEFAULT 1;
            CREATE FUNCTION uncount() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE conversations
              SET message_count = message_count - 1 WHERE id = OLD.conversation_id; RETURN OLD; END $$;
            CREATE TRIGGER t {time} DELETE ON messages FOR EACH ROW EXECUTE FUNCTION uncount();
            """
        );

        await ArchivesRestoresAndErasesAsync(archiver);
        // A restored session is left in peace for a while, or there would be nothing to purge.
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = now() - interval '60 days'");
        archiver.With("Sources:main:Policies:old:Action", "Purge").With("Sources:main:Policies:old:IdleFor", "90d");
        Assert.Equal(
            (0, 0L),
            (
                (await archiver.RunAsync("purge")).ExitCode,
                await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM conversations WHERE seen < now() - interval '90 days'")
            )
        );
    }

    [Theory]
    [InlineData("expire")]
    [InlineData("purge")]
    [InlineData("archive")]
    public async Task A_trigger_that_names_a_table_without_a_schema_runs_when_sessions_expire_are_purged_or_marked(string verb)
    {
        await using var archiver = await CreateAsync(
            """
            ALTER TABLE conversations ADD COLUMN status text NOT NULL DEFAULT 'active', ADD COLUMN expires_at timestamptz,
              ADD COLUMN archived boolean NOT NULL DEFAULT false;
            UPDATE conversations SET expires_at = now() - interval '1 day' WHERE id <> 2;
            CREATE TABLE touched (id int);
            CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO touched VALUES (OLD.id); RETURN NULL; END $$;
            CREATE TRIGGER t AFTER UPDATE OR DELETE ON conversations FOR EACH ROW EXECUTE FUNCTION touch();
            """
        );
        foreach (var (key, column) in new[] { ("Status", "status"), ("Expires", "expires_at"), ("Archived", "archived") })
            archiver.With($"Sources:main:Tables:Session:{key}", column);
        archiver
            .With("Sources:main:Policies:idle:Delete", "Nothing")
            .With("Sources:main:Policies:old:Action", "Purge")
            .With("Sources:main:Policies:old:IdleFor", "90d")
            .With("Sources:main:Policies:over:Action", "Expire")
            .With("Sources:main:Policies:over:ExpiredFor", "0s");

        var result = await archiver.RunAsync(verb);

        Assert.True(result.ExitCode == 0, result.Error + result.Output);
        Assert.Equal("1,3", await archiver.Database.ScalarAsync<string>("SELECT string_agg(id::text, ',' ORDER BY id) FROM touched"));
    }

    [Fact]
    public async Task A_trigger_with_a_code_of_its_own_keeps_its_one_session_from_a_purge_and_no_other()
    {
        await using var archiver = await CreateAsync(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'mine' USING ERRCODE = 'AP001'; END $$;
            CREATE TRIGGER t BEFORE DELETE ON messages FOR EACH ROW WHEN (OLD.id = 11) EXECUTE FUNCTION refuse();
            """
        );
        archiver.With("Sources:main:Policies:idle:Action", "Purge");

        var result = await archiver.RunAsync("purge");

        Assert.True(result.ExitCode == 1, result.Error + result.Output);
        Assert.Equal("1,2", await archiver.Database.ScalarAsync<string>("SELECT string_agg(id::text, ',' ORDER BY id) FROM conversations"));
        Assert.Equal("11,21", await archiver.Database.ScalarAsync<string>("SELECT string_agg(id::text, ',' ORDER BY id) FROM messages"));
        Assert.Contains(
            "AP001",
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(session_id || ' ' || reason, ',') FROM archiver.quarantine"),
            StringComparison.Ordinal
        );
    }

    // Mattermost's shape: 0 means that it is not deleted.
    [Fact]
    public async Task What_inspection_says_of_a_time_that_is_a_number_purges_nobodys_live_session()
    {
        await using var archiver = await CreateAsync(
            "ALTER TABLE conversations ADD COLUMN deleteat bigint NOT NULL DEFAULT 0; UPDATE "
                + "conversations SET deleteat = 1000000000000 WHERE id = 3"
        );
        archiver
            .With("Sources:main:Tables:Session:Deleted", "deleteat")
            .With("Sources:main:Policies:idle:Action", "Purge")
            .With("Sources:main:Policies:idle:IdleFor", null)
            .With("Sources:main:Policies:idle:DeletedFor", "30d");
        var plan = await archiver.RunAsync("plan");
        Assert.Equal(3, plan.ExitCode);

        Assert.Contains("""map it as { "Column": "deleteat", "As": "epoch-ms" }""", plan.Error, StringComparison.Ordinal);

        var purge = await archiver.With("Sources:main:Tables:Session:Deleted:As", "epoch-ms").RunAsync("purge");

        Assert.True(purge.ExitCode == 0, purge.Error);
        Assert.Equal(
            "1:0,2:0",
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(id || ':' || deleteat, ',' ORDER BY id) FROM conversations")
        );
    }

    [Fact]
    public async Task No_word_of_a_row_that_a_trigger_puts_into_its_error_is_written_anywhere()
    {
        await using var archiver = await CreateAsync(
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF OLD.id = 11 THEN RAISE EXCEPTION 'not allowed: %', OLD.text
                USING ERRCODE = '42501', DETAIL = OLD.text, HINT = OLD.text; END IF; RETURN OLD; END $$;
            CREATE TRIGGER t BEFORE DELETE ON messages FOR EACH ROW EXECUTE FUNCTION refuse();
            UPDATE messages SET text = 'my secret';
            """
        );

        var archive = await archiver.RunAsync("archive");
        var erase = await archiver.RunAsync("erase", "1", "--yes");

        Assert.Equal((1, 1), (archive.ExitCode, erase.ExitCode));
        Assert.Contains("42501", archive.Error, StringComparison.Ordinal);
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM conversations"));
        foreach (
            var text in new[]
            {
                archive.Output,
                archive.Error,
                erase.Output,
                erase.Error,
                (await archiver.RunAsync("quarantine", "list")).Output,
                (await archiver.RunAsync("status")).Output,
            }
        )
            Assert.DoesNotContain("my secret", text, StringComparison.Ordinal);
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>(
                "SELECT (SELECT count(*) FROM archiver.runs r WHERE r::text LIKE '%my secret%') + (SELECT count(*) FROM archiver.archives "
                    + "a WHERE a::text LIKE '%my secret%') + (SELECT count(*) FROM archiver.audit q WHERE q::text LIKE '%my secret%')"
            )
        );
    }

    [Fact]
    public async Task A_kept_column_of_json_that_jsonb_refuses_is_archived_and_restored_as_it_was()
    {
        await using var archiver = await CreateAsync(
            """ALTER TABLE conversations ADD COLUMN title json; UPDATE conversations SET title = '{"t":"a\u0000b","n":1e999999}'"""
        );
        archiver.With("Sources:main:Keep:0", "title");

        await ArchivesRestoresAndErasesAsync(archiver);
        Assert.Equal(
            "a\ufffdb",
            await archiver.Database.ScalarAsync<string>("SELECT keep #>> '{title,t}' FROM archiver.archives WHERE session_id = '3'")
        );
    }

    [Fact]
    public async Task A_session_that_has_no_room_in_the_spool_folder_stops_no_other()
    {
        await using var disk = await SmallDisk.MountAsync(2, Token);
        await using var archiver = await CreateAsync(
            "UPDATE messages SET text = (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 700000) i) WHERE id = 11"
        );
        disk.Fill();
        await using var process = archiver.Start(new Dictionary<string, string?> { ["TMPDIR"] = disk.Folder }, "archive");

        var result = await process.WaitForExitAsync(Token);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"The folder for temporary files, {disk.Folder}", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("report this", result.Error, StringComparison.Ordinal);
        Assert.Equal("1,2", await archiver.Database.ScalarAsync<string>("SELECT string_agg(id::text, ',' ORDER BY id) FROM conversations"));
    }

    /// <summary>Archive 1 and 3, restore 1 to the byte, erase 2; nothing fails and nothing is stored twice.</summary>
    private static async Task ArchivesRestoresAndErasesAsync(Installation archiver)
    {
        var before = await RowsAsync(archiver);
        var archive = await archiver.RunAsync("archive");
        Assert.True(archive.ExitCode == 0, archive.Error);
        Assert.Contains("main/idle: done, 2 sessions archived", archive.Output, StringComparison.Ordinal);
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.objects WHERE state = 'stored'"));
        var restore = await archiver.RunAsync("restore", "1", "3");
        Assert.True(restore.ExitCode == 0, restore.Error);
        Assert.Equal(before, await RowsAsync(archiver));
        var erase = await archiver.RunAsync("erase", "2", "--yes");
        Assert.True(erase.ExitCode == 0, erase.Error + erase.Output);
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM conversations"));
    }

    private static async Task<string> RowsAsync(Installation archiver) =>
        await archiver.Database.CopyOutAsync("SELECT * FROM conversations ORDER BY id")
        + await archiver.Database.CopyOutAsync("SELECT * FROM messages ORDER BY id");

    private async Task<Installation> CreateAsync(string more)
    {
        var archiver = await Installation.CreateAsync(servers, $"{Tables}\n{more}", Token);
        foreach (var (key, value) in Conversations)
            archiver.With($"Sources:main:Tables:{key}", value);
        return archiver;
    }
}
