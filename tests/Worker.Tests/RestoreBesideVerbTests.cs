using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Restores into tables that have rows of the same sessions: what stands beside stays, and is named.</summary>
public sealed class RestoreBesideVerbTests(TestServers servers)
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
