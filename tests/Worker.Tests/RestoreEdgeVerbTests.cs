using Archiver.Core.Diagnostics;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Npgsql;

namespace Archiver.Worker.Tests;

/// <summary>Restores at the edges: rows beside, live versions in the way, rehearsals, ids that mean two sessions, pools of one.</summary>
public sealed class RestoreEdgeVerbTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // In another database, and without a ledger, too.
    [Theory]
    [InlineData("")]
    [InlineData("replace")]
    [InlineData("to")]
    [InlineData("object")]
    public async Task A_message_that_came_after_the_archive_stays_beside_the_restored_ones_and_is_named(string mode)
    {
        await using var archiver = await ConversationAsync();
        await using var other = mode == "to" ? await TestDatabase.CopyAsync(archiver.Database, Token) : null;
        var database = other ?? archiver.Database;
        await database.ExecuteAsync("INSERT INTO messages VALUES (12, 1, 'late')", Token);
        var key = await archiver.Database.ScalarAsync<string>("SELECT key FROM archiver.objects");
        if (mode == "object")
            await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE", Token);
        string[] restore = mode switch
        {
            "replace" => ["restore", "1", "--on-conflict", "replace"],
            "to" => ["restore", "1", "--to", database.ConnectionString],
            "object" => ["restore", "--object", key!],
            _ => ["restore", "1"],
        };

        var rehearsed = await archiver.RunAsync([.. restore, "--dry-run"]);
        var result = await archiver.RunAsync(restore);

        Assert.True((rehearsed.ExitCode, result.ExitCode) == (0, 0), rehearsed.Output + result.Error + result.Output);
        Assert.Contains("1 session restored with 2 rows", result.Output, StringComparison.Ordinal);
        Assert.All([rehearsed, result], r => Assert.Matches(@"BESIDE LATER ROWS +TABLE +ROWS\s+1 +public.messages +1", r.Output));
        Assert.Equal("11\told\n12\tlate\n", await database.CopyOutAsync("SELECT id, body FROM messages ORDER BY id"));
        if (mode is "" or "replace")
            Assert.Equal("restored", await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.archives"));
    }

    /// <summary>The late message is of the live version then, which goes into an archive of its own before it gives way.</summary>
    [Fact]
    public async Task A_late_message_of_a_live_session_that_is_replaced_is_archived_with_it()
    {
        await using var archiver = await ConversationAsync();
        Assert.Equal(0, (await archiver.RunAsync("restore", "1")).ExitCode);
        await archiver.Database.ExecuteAsync("INSERT INTO messages VALUES (12, 1, 'late')", Token);

        var rehearsed = await archiver.RunAsync("restore", "1", "--on-conflict", "replace", "--dry-run");
        var live = await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM messages");
        var result = await archiver.RunAsync("restore", "1", "--on-conflict", "replace");

        Assert.True((rehearsed.ExitCode, live, result.ExitCode) == (0, 2, 0), rehearsed.Output + result.Error + result.Output);
        Assert.Contains("1 session would be restored with 2 rows", rehearsed.Output, StringComparison.Ordinal);
        Assert.Equal("11\told\n", await archiver.Database.CopyOutAsync("SELECT id, body FROM messages ORDER BY id"));
        var shown = await archiver.RunAsync("show", "1", "--generation", "2");
        Assert.Contains("late", shown.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_live_session_with_later_rows_beside_its_own_is_skipped_and_they_are_named()
    {
        await using var archiver = await ConversationAsync();
        Assert.Equal(0, (await archiver.RunAsync("restore", "1")).ExitCode);
        await archiver.Database.ExecuteAsync("INSERT INTO messages VALUES (12, 1, 'late')", Token);

        var result = await archiver.RunAsync("restore", "1", "--on-conflict", "skip");

        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        Assert.Contains("1 session there already, unchanged", result.Output, StringComparison.Ordinal);
        Assert.Matches(@"BESIDE LATER ROWS +TABLE +ROWS\s+1 +public.messages +1", result.Output);
        Assert.Equal("11\told\n12\tlate\n", await archiver.Database.CopyOutAsync("SELECT id, body FROM messages ORDER BY id"));
    }

    [Theory]
    [InlineData("UPDATE messages SET body = 'edited' WHERE id = 11")]
    [InlineData("DELETE FROM messages WHERE id = 11; INSERT INTO messages VALUES (12, 1, 'late')")]
    public async Task A_live_session_that_lacks_a_row_of_the_archive_or_has_another_is_not_skipped(string change)
    {
        await using var archiver = await ConversationAsync();
        Assert.Equal(0, (await archiver.RunAsync("restore", "1")).ExitCode);
        await archiver.Database.ExecuteAsync(change, Token);

        var result = await archiver.RunAsync("restore", "1", "--on-conflict", "skip");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("with other rows in public.messages", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_happens_to_the_database_of_to_in_the_middle_is_told_of_it()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await using var target = await TestDatabase.CreateAsync(servers.PostgresConnectionString, Token);
        await ApplicationSchema.InstallAsync(target, "ended-at", Token);
        var id = (await archiver.Database.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions"))!;
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        var name = new NpgsqlConnectionStringBuilder(target.ConnectionString).Database!;
        InProcessFault.Once(FaultPoints.RestoreStaged, () =>
            archiver.Database.ExecuteAsync(
                $"ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS "
                    + $"false; SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"
            )
        );

        var result = await archiver.RunAsync("restore", id, "--to", target.ConnectionString);

        await archiver.Database.ExecuteAsync($"ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS true", Token);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("(--to)", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("source 'main'", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_row_that_a_trigger_adds_is_not_taken_for_one_that_was_beside()
    {
        await using var archiver = await ConversationAsync();
        await archiver.Database.ExecuteAsync(
            """
            INSERT INTO messages VALUES (12, 1, 'late');
            CREATE FUNCTION greet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO messages
              VALUES (99, NEW.id, 'welcome'); RETURN NULL; END $$;
            CREATE TRIGGER greet AFTER INSERT ON conversations FOR EACH ROW EXECUTE FUNCTION greet();
            """,
            Token
        );

        var result = await archiver.RunAsync("restore", "1");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(
            "trigger 'greet' on public.conversations changed the rows of public.messages",
            result.Output,
            StringComparison.Ordinal
        );
        Assert.Equal("12\tlate\n", await archiver.Database.CopyOutAsync("SELECT id, body FROM messages ORDER BY id"));
    }

    [Fact]
    public async Task A_replace_that_fails_leaves_the_live_rows_where_they_were()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.RunAsync("archive");
        await archiver.RunAsync("restore", "--from", "2000-01-01");
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_messages SET content = 'edited'; ALTER TABLE chat_messages ADD CONSTRAINT only_edited CHECK (content = 'edited')",
            Token
        );
        var rows = await archiver.RowsAsync();
        var ids = (await archiver.Database.CopyOutAsync("SELECT session_id FROM chat_sessions ORDER BY 1")).TrimEnd().Split('\n');

        var rehearsed = await archiver.RunAsync("restore", ids[0], "--on-conflict", "replace", "--dry-run");
        var result = await archiver.RunAsync("restore", ids[0], "--on-conflict", "replace");

        Assert.Equal((1, 1), (rehearsed.ExitCode, result.ExitCode));
        Assert.All([rehearsed, result], r =>
            Assert.Contains(
                "constraint 'only_edited' of public.chat_messages does not allow its rows; its live rows stay as they are",
                r.Output,
                StringComparison.Ordinal
            )
        );
        Assert.Equal(rows, await archiver.RowsAsync());

        await archiver.Database.ExecuteAsync("ALTER TABLE chat_messages DROP CONSTRAINT only_edited", Token);
        var second = await archiver.RunAsync("restore", ids[0], "--on-conflict", "replace");
        Assert.True(second.ExitCode == 0, second.Error + second.Output);
        Assert.Contains("1 session restored with 5 rows", second.Output, StringComparison.Ordinal);
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>(
                $"SELECT count(*) FROM chat_messages WHERE session_id = '{ids[0]}' AND content = 'edited'"
            )
        );
        Assert.Equal(
            4,
            await archiver.Database.ScalarAsync<long>(
                $"SELECT count(*) FROM chat_messages WHERE session_id = '{ids[1]}' AND content = 'edited'"
            )
        );
    }

    [Fact]
    public async Task A_replace_that_a_trigger_would_change_leaves_the_live_rows_where_they_were()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.RunAsync("archive");
        await archiver.RunAsync("restore", "--from", "2000-01-01");
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_messages SET content = 'edited'; CREATE FUNCTION meddle() RETURNS trigger "
                + "LANGUAGE plpgsql AS $$ BEGIN NEW.content := upper(NEW.content); RETURN NEW; END $$; CREATE TRIGGER meddle BEFORE INSERT "
                + "ON chat_messages FOR EACH ROW EXECUTE FUNCTION meddle()",
            Token
        );
        var rows = await archiver.RowsAsync();
        var id = await archiver.Database.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions");

        var rehearsed = await archiver.RunAsync("restore", id!, "--on-conflict", "replace", "--dry-run");
        var result = await archiver.RunAsync("restore", id!, "--on-conflict", "replace");

        Assert.Equal((1, 1), (rehearsed.ExitCode, result.ExitCode));
        Assert.All([rehearsed, result], r =>
            Assert.Contains("trigger 'meddle' on public.chat_messages changed the rows", r.Output, StringComparison.Ordinal)
        );
        Assert.Equal(rows, await archiver.RowsAsync());
    }

    /// <summary>What keeps the live rows keeps them in the rehearsal too, which leaves everything as it was.</summary>
    [Theory]
    [InlineData(
        "INSERT INTO archiver.holds (source, user_id, reason, created_by) SELECT DISTINCT 'main', user_id, 'case 7', 'test' FROM "
            + "chat_sessions WHERE user_id IS NOT NULL"
    )]
    [InlineData(
        "CREATE FUNCTION stay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'stay' USING ERRCODE = 'AP001'; END $$; CREATE "
            + "TRIGGER stay BEFORE DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION stay()"
    )]
    public async Task A_replace_whose_live_rows_may_not_go_is_refused_by_its_rehearsal(string change)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.Database.ExecuteAsync("UPDATE chat_sessions SET user_id = 'ann'");
        await archiver.RunAsync("archive");
        await archiver.RunAsync("restore", "--from", "2000-01-01");
        await archiver.Database.ExecuteAsync($"UPDATE chat_messages SET content = 'edited'; {change}", Token);
        var rows = await archiver.RowsAsync();
        var id = await archiver.Database.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions");

        var rehearsed = await archiver.RunAsync("restore", id!, "--on-conflict", "replace", "--dry-run");
        var result = await archiver.RunAsync("restore", id!, "--on-conflict", "replace");

        Assert.True((rehearsed.ExitCode, result.ExitCode) == (1, 1), rehearsed.Output + result.Output);
        Assert.Contains("its live rows stay as they are", rehearsed.Output, StringComparison.Ordinal);
        Assert.Equal(rows, await archiver.RowsAsync());
    }

    [Fact]
    public async Task A_default_that_makes_a_text_of_a_number_restores_and_its_sequence_stays_where_it_is()
    {
        await using var archiver = await NumberedAsync();

        var drill = await archiver.RunAsync("verify", "--restore-drill", "1");
        var rehearsed = await archiver.RunAsync("restore", "sess_1", "--dry-run");
        var result = await archiver.RunAsync("restore", "sess_1");

        Assert.True(
            (drill.ExitCode, rehearsed.ExitCode, result.ExitCode) == (0, 0, 0),
            drill.Output + rehearsed.Output + result.Error + result.Output
        );
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT last_value FROM s"));
        Assert.Equal("sess_2", await archiver.Database.ScalarAsync<string>("INSERT INTO chat (updated_at) VALUES (now()) RETURNING id"));
    }

    [Fact]
    public async Task A_rehearsal_moves_no_sequence_and_says_when_the_restore_may_not()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.RunAsync("archive");
        await archiver.Database.ExecuteAsync("ALTER SEQUENCE chat_messages_id_seq RESTART WITH 1", Token);

        var drill = await archiver.RunAsync("verify", "--all", "--restore-drill", "2");
        var rehearsed = await archiver.RunAsync("restore", "--from", "2000-01-01", "--dry-run");
        var before = await archiver.Database.ScalarAsync<string>("SELECT last_value || ' ' || is_called FROM chat_messages_id_seq");
        var result = await archiver.RunAsync("restore", "--from", "2000-01-01");

        Assert.True(
            (drill.ExitCode, rehearsed.ExitCode, result.ExitCode) == (0, 0, 0),
            drill.Output + rehearsed.Output + result.Error + result.Output
        );
        Assert.Equal("1 false", before);
        Assert.Equal(
            await archiver.Database.ScalarAsync<long>("SELECT max(id) FROM chat_messages"),
            await archiver.Database.ScalarAsync<long>("SELECT last_value FROM chat_messages_id_seq")
        );
    }

    [Theory]
    [InlineData(
        "ALTER TABLE chat_messages ADD CONSTRAINT nothing CHECK (content IS NULL) NOT VALID",
        "constraint 'nothing' of public.chat_messages does not allow its rows"
    )]
    [InlineData(
        "CREATE TABLE users (id text PRIMARY KEY); ALTER TABLE chat_sessions ADD CONSTRAINT known FOREIGN KEY (user_id) REFERENCES "
            + "users NOT VALID",
        "constraint 'known' of public.chat_sessions"
    )]
    [InlineData(
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$; CREATE TRIGGER no BEFORE INSERT ON "
            + "chat_messages FOR EACH ROW EXECUTE FUNCTION no()",
        "function no"
    )]
    [InlineData(
        "CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'own' USING ERRCODE = 'AP001'; END $$; CREATE "
            + "TRIGGER own BEFORE INSERT ON chat_messages FOR EACH ROW EXECUTE FUNCTION own()",
        "function own"
    )]
    [InlineData(
        "CREATE TABLE users (id text PRIMARY KEY); ALTER TABLE chat_sessions ADD CONSTRAINT known FOREIGN KEY (user_id) REFERENCES "
            + "users DEFERRABLE INITIALLY DEFERRED NOT VALID",
        "constraint 'known' of public.chat_sessions"
    )]
    [InlineData(
        "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'late' USING ERRCODE = 'AP001'; END $$; CREATE "
            + "CONSTRAINT TRIGGER late AFTER INSERT ON chat_messages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()",
        "function late"
    )]
    public async Task What_would_refuse_a_restore_refuses_its_rehearsals(string change, string reason)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.RunAsync("archive");
        await archiver.Database.ExecuteAsync(change, Token);

        var drill = await archiver.RunAsync("verify", "--restore-drill", "2");
        var rehearsed = await archiver.RunAsync("restore", "--from", "2000-01-01", "--dry-run");
        var result = await archiver.RunAsync("restore", "--from", "2000-01-01");

        Assert.All([drill, rehearsed, result], r => Assert.Equal(1, r.ExitCode));
        Assert.All([drill, rehearsed, result], r => Assert.Contains(reason, r.Output, StringComparison.Ordinal));
        Assert.Equal(0, await archiver.LiveSessionsAsync());
    }

    [Theory]
    [InlineData("RAISE 'mine' USING ERRCODE = 'AP001'", "TRIGGER t BEFORE INSERT ON chat_messages FOR EACH ROW")]
    [InlineData(
        "RAISE 'mine' USING ERRCODE = 'AP001'",
        "CONSTRAINT TRIGGER t AFTER INSERT ON chat_messages DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
    )]
    [InlineData("INSERT INTO gone VALUES (1)", "TRIGGER t BEFORE INSERT ON chat_messages FOR EACH ROW")]
    public async Task One_session_that_a_trigger_refuses_stops_no_other(string body, string trigger)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0);
        var rows = await archiver.RowsAsync();
        var id = await archiver.Database.ScalarAsync<string>("SELECT max(session_id::text) FROM chat_sessions");
        await archiver.RunAsync("archive");
        await archiver.Database.ExecuteAsync(
            $"CREATE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NEW; END "
                + $"$$; CREATE {trigger} WHEN (NEW.session_id = '{id}') EXECUTE FUNCTION mine()",
            Token
        );

        var rehearsed = await archiver.RunAsync("restore", "--from", "2000-01-01", "--dry-run");
        var result = await archiver.RunAsync("restore", "--from", "2000-01-01");

        Assert.All([rehearsed, result], r => Assert.Equal(1, r.ExitCode));
        Assert.Contains("2 sessions would be restored", rehearsed.Output, StringComparison.Ordinal);
        Assert.All([rehearsed, result], r => Assert.Contains("function mine", r.Output, StringComparison.Ordinal));
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_sessions WHERE session_id <> '{id}'"));
        await archiver.Database.ExecuteAsync("DROP TRIGGER t ON chat_messages", Token);
        Assert.Equal(0, (await archiver.RunAsync("restore", id!)).ExitCode);
        Assert.Equal(rows, await archiver.RowsAsync());
    }

    [Fact]
    public async Task An_id_that_is_ones_key_and_anothers_external_id_means_the_key()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 0, young: 0);
        await archiver.Database.ExecuteAsync(
            """
            CREATE TABLE chat (id text PRIMARY KEY, ext text UNIQUE, updated_at timestamptz NOT NULL);
            CREATE INDEX ON chat (updated_at, id);
            INSERT INTO chat VALUES ('A', 'first', now() - interval '200 days'), ('B', 'A', now() - interval '200 days');
            """,
            Token
        );
        Chat(archiver).With("Sources:main:Tables:Session:ExternalId", "ext");
        await archiver.RunAsync("archive");

        var shown = await archiver.RunAsync("show", "A");
        var result = await archiver.RunAsync("restore", "A");
        var rows = await archiver.Database.CopyOutAsync("SELECT id FROM chat ORDER BY 1");
        var byExternal = await archiver.RunAsync("restore", "first", "--on-conflict", "skip");

        Assert.Contains("\"id\":\"A\"", shown.Output, StringComparison.Ordinal);
        Assert.Equal((0, "A\n"), (result.ExitCode, rows));
        Assert.Contains("1 session there already", byExternal.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_uuid_in_upper_case_is_the_same_session()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.RunAsync("archive");
        var id = await archiver.Database.ScalarAsync<string>("SELECT upper(session_id) FROM archiver.archives");

        var shown = await archiver.RunAsync("show", id!);
        var result = await archiver.RunAsync("restore", id!);

        Assert.True((shown.ExitCode, result.ExitCode) == (0, 0), shown.Error + result.Error + result.Output);
        Assert.Equal(1, await archiver.LiveSessionsAsync());
    }

    [Fact]
    public async Task A_partition_that_is_gone_is_named_instead_of_a_constraint()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 0, young: 0);
        await archiver.Database.ExecuteAsync(
            """
            CREATE TABLE chat (id int, updated_at timestamptz NOT NULL, PRIMARY KEY (id)) PARTITION BY RANGE (id);
            CREATE TABLE chat_1 PARTITION OF chat FOR VALUES FROM (1) TO (10);
            CREATE INDEX ON chat (updated_at, id);
            INSERT INTO chat VALUES (1, now() - interval '200 days');
            """,
            Token
        );
        var archived = await Chat(archiver).RunAsync("archive");
        await archiver.Database.ExecuteAsync("DROP TABLE chat_1", Token);

        var result = await archiver.RunAsync("restore", "1");

        Assert.Equal((0, 1), (archived.ExitCode, result.ExitCode));
        Assert.Contains("no partition of public.chat takes its rows today", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Control_characters_of_stored_text_reach_no_terminal()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 0, young: 0);
        await archiver.Database.ExecuteAsync(
            """
            CREATE TABLE chat (id text PRIMARY KEY, body text, updated_at timestamptz NOT NULL);
            CREATE INDEX ON chat (updated_at, id);
            INSERT INTO chat VALUES (E'a\u009b2J\u007f', E'\u00e4\u009b31m\u0085', now() - interval '200 days');
            """,
            Token
        );
        await Chat(archiver).RunAsync("archive");

        ProcessResult[] results =
        [
            await archiver.RunAsync("show", "a\u009b2J\u007f"),
            await archiver.RunAsync("show", "no\u009b2J"),
            await archiver.RunAsync("list"),
            await archiver.RunAsync("list", "--json"),
            await archiver.RunAsync("restore", "a\u009b2J\u007f"),
            await archiver.RunAsync("restore", "a\u009b2J\u007f"),
            await archiver.RunAsync("restore", "a\u009b2J\u007f", "--json"),
        ];

        Assert.All(results, r => Assert.DoesNotContain(r.Output + r.Error, c => c is >= '\u007f' and <= '\u009f'));
        Assert.Equal(
            "\u00e4\u009b31m\u0085",
            System.Text.Json.JsonDocument.Parse(results[0].Output).RootElement.GetProperty("session").GetProperty("body").GetString()
        );
        Assert.Equal((0, 0), (results[0].ExitCode, results[4].ExitCode));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_small_pool_starves_no_verb(int connections)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0);
        var small = new NpgsqlConnectionStringBuilder(archiver.Database.ConnectionString)
        {
            MaxPoolSize = connections,
            Timeout = 3,
        }.ConnectionString;
        archiver.With("Sources:main:ConnectionString", small);
        await using var copy = await TestDatabase.CreateAsync(servers, Token);
        await ApplicationSchema.InstallAsync(copy, "ended-at", Token);

        var archived = await archiver.RunAsync("archive");
        var id = await archiver.Database.ScalarAsync<string>("SELECT min(session_id) FROM archiver.archives");
        foreach (
            var verb in new string[][]
            {
                ["verify", "--restore-drill", "3"],
                [
                    "restore",
                    id!,
                    "--to",
                    new NpgsqlConnectionStringBuilder(copy.ConnectionString) { MaxPoolSize = connections, Timeout = 3 }.ConnectionString,
                ],
                ["restore", id!],
                ["erase", id!, "--yes"],
            }
        )
        {
            var result = await archiver.RunAsync(verb);
            Assert.True(result.ExitCode == 0, $"{verb[0]}: {result.Error}{result.Output}");
        }
        Assert.Equal(0, archived.ExitCode);
    }

    [Theory]
    [InlineData("")]
    [InlineData("DEFERRABLE")]
    [InlineData("DEFERRABLE INITIALLY DEFERRED")]
    public async Task Tables_that_refer_to_each_other_come_back(string deferrable)
    {
        await using var archiver = await ConversationAsync();
        await archiver.RunAsync("restore", "1");
        await archiver.Database.ExecuteAsync(
            $"""
            ALTER TABLE conversations ADD COLUMN current_message int;
            ALTER TABLE messages ADD FOREIGN KEY (conversation_id) REFERENCES conversations;
            UPDATE conversations SET current_message = 11;
            CREATE INDEX ON conversations (current_message);
            """,
            Token
        );
        // Archived before the key is there: what is tested is the way back.
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = now() - interval '60 days'", Token);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM conversations"));
        await archiver.Database.ExecuteAsync(
            $"ALTER TABLE conversations ADD CONSTRAINT current_fk FOREIGN KEY (current_message) REFERENCES messages {deferrable}",
            Token
        );

        var rehearsed = await archiver.RunAsync("restore", "1", "--dry-run");
        var result = await archiver.RunAsync("restore", "1");

        Assert.True((rehearsed.ExitCode, result.ExitCode) == (0, 0), rehearsed.Output + result.Error + result.Output);
        Assert.Equal("1\t11\n", await archiver.Database.CopyOutAsync("SELECT id, current_message FROM conversations"));
        Assert.Equal("11\t1\n", await archiver.Database.CopyOutAsync("SELECT id, conversation_id FROM messages"));
    }

    private static Installation Chat(Installation archiver) =>
        archiver
            .With("Sources:main:Preset", null)
            .With("Sources:main:Tables:Session:Table", "chat")
            .With("Sources:main:Tables:Session:Key", "id")
            .With("Sources:main:Tables:Session:Activity:0", "updated_at");

    /// <summary>One session whose key is a text around a number of a sequence, archived.</summary>
    private async Task<Installation> NumberedAsync()
    {
        var archiver = await Installation.CreateAsync(servers, Token, idle: 0, young: 0);
        await archiver.Database.ExecuteAsync(
            """
            CREATE SEQUENCE s;
            CREATE TABLE chat (id text PRIMARY KEY DEFAULT 'sess_' || nextval('s'), updated_at timestamptz NOT NULL);
            CREATE INDEX ON chat (updated_at, id);
            INSERT INTO chat (updated_at) VALUES (now() - interval '200 days');
            """,
            Token
        );
        Assert.Equal(0, (await Chat(archiver).RunAsync("archive")).ExitCode);
        return archiver;
    }

    /// <summary>A conversation with one message and no foreign key between them, archived.</summary>
    private async Task<Installation> ConversationAsync()
    {
        var archiver = await Installation.CreateAsync(servers, Token, idle: 0, young: 0);
        await archiver.Database.ExecuteAsync(
            """
            CREATE TABLE conversations (id int PRIMARY KEY, updated_at timestamptz NOT NULL);
            CREATE TABLE messages (id int PRIMARY KEY, conversation_id int NOT NULL, body text);
            CREATE INDEX ON messages (conversation_id); CREATE INDEX ON conversations (updated_at, id);
            INSERT INTO conversations VALUES (1, now() - interval '200 days'); INSERT INTO messages VALUES (11, 1, 'old');
            """,
            Token
        );
        archiver
            .With("Sources:main:Preset", null)
            .With("Sources:main:Tables:Session:Table", "conversations")
            .With("Sources:main:Tables:Session:Key", "id")
            .With("Sources:main:Tables:Session:Activity:0", "updated_at")
            .With("Sources:main:Tables:Children:messages:Table", "messages")
            .With("Sources:main:Tables:Children:messages:ForeignKey", "conversation_id")
            .With("Sources:main:Tables:Children:messages:ParentKey", "id")
            .With("Sources:main:Tables:Children:messages:Key", "id")
            .With("Sources:main:Tables:Children:messages:Order:0", "id");
        var archived = await archiver.RunAsync("archive");
        Assert.True(archived.ExitCode == 0, archived.Error + archived.Output);
        return archiver;
    }
}
