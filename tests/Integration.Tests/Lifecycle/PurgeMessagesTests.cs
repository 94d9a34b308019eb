using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Testing;
using static Archiver.Integration.Tests.Lifecycle.PolicyRuns;
using static Archiver.Integration.Tests.Lifecycle.Purgeable;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>Purge with Scope Messages takes soft-deleted rows of sessions that stay, what hangs below them, and nothing else.</summary>
public sealed class PurgeMessagesTests(TestServers servers)
{
    private const string Due = "deleted_at < now() - interval '90 days'";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("NULL")]
    [InlineData("CASE n % 3 WHEN 0 THEN now() - interval '91 days' WHEN 1 THEN now() - interval '89 days' END")]
    [InlineData("now() - interval '91 days'")]
    public async Task Purges_messages_deleted_long_ago_and_leaves_the_rest_to_the_byte(string deletedAt)
    {
        await using var archiver = await CreateAsync(deletedAt);
        var db = archiver.Database;
        // A deleted session keeps its messages until it goes itself, or comes back with them.
        await db.ExecuteAsync(
            "UPDATE chat_sessions SET deleted_at = now() - interval '91 days' WHERE id = (SELECT min(id::text)::uuid FROM chat_sessions)"
        );
        const string due = $"m.{Due} AND s.deleted_at IS NULL";
        var (rows, sessions) = (
            await db.ScalarAsync<long>($"SELECT count(*) FROM chat_messages m JOIN chat_sessions s ON s.id = m.session_id WHERE {due}"),
            await db.ScalarAsync<long>(
                $"SELECT count(DISTINCT s.id) FROM chat_messages m JOIN chat_sessions s ON s.id = m.session_id WHERE {due}"
            )
        );
        var others = await db.CopyOutAsync(
            $"SELECT m.* FROM chat_messages m JOIN chat_sessions s ON s.id = m.session_id WHERE NOT coalesce({due}, false) ORDER BY m.id"
        );
        var before = await db.CopyOutAsync("SELECT * FROM chat_sessions ORDER BY id");
        await archiver.MigrateAsync(Token);
        var plan = await archiver.PlanAsync(Purge(PurgeScope.Messages), Token);

        var summary = await archiver.RunAsync(Purge(PurgeScope.Messages), Token);

        Assert.Null(summary.Error);
        Assert.Equal((RunOutcome.Done, sessions, rows), (summary.Outcome, summary.Sessions, summary.Rows));
        Assert.Equal((sessions, rows), (plan.Plan.Eligible, plan.Size.Rows));
        Assert.Equal(others, await db.CopyOutAsync("SELECT * FROM chat_messages ORDER BY id"));
        Assert.Equal(before, await db.CopyOutAsync("SELECT * FROM chat_sessions ORDER BY id"));
    }

    [Fact]
    public async Task Keeps_the_messages_of_a_held_session_and_a_message_brought_back_just_before()
    {
        await using var archiver = await CreateAsync("now() - interval '91 days'");
        await archiver.MigrateAsync(Token);
        var db = archiver.Database;
        var held = await SessionAsync(archiver, 0);
        var revived = await SessionAsync(archiver, 9);
        await archiver.HoldAsync(held);

        var summary = await archiver.RunAsync(
            Purge(PurgeScope.Messages),
            Token,
            afterFirstBatch: "UPDATE chat_messages SET deleted_at = NULL WHERE session_id = "
                + $"'{revived}' AND sequence = (SELECT min(sequence) FROM chat_messages WHERE session_id = '{revived}')"
        );

        Assert.Equal((RunOutcome.Done, 23L, 68L), (summary.Outcome, summary.Sessions, summary.Rows));
        Assert.Equal(3, await db.ScalarAsync<long>($"SELECT count(*) FROM chat_messages WHERE session_id = '{held}'"));
        Assert.Equal(
            1,
            await db.ScalarAsync<long>($"SELECT count(*) FROM chat_messages WHERE session_id = '{revived}' AND deleted_at IS NULL")
        );
    }

    [Theory]
    [InlineData("id = OLD.session_id", 24, 0)]
    [InlineData("id <> OLD.session_id", 0, 24)]
    public async Task Lets_a_trigger_count_the_messages_of_their_own_session_and_of_no_other(string updates, int done, int failed)
    {
        await using var archiver = await CreateAsync("now() - interval '91 days'");
        await archiver.Database.ExecuteAsync(
            $"""
            ALTER TABLE chat_sessions ADD COLUMN deleted_messages int NOT NULL DEFAULT 0;
            CREATE FUNCTION uncount() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              UPDATE chat_sessions SET deleted_messages = deleted_messages + 1 WHERE {updates}; RETURN NULL; END $$;
            CREATE TRIGGER uncount AFTER DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION uncount();
            """
        );

        var summary = await archiver.RunAsync(Purge(PurgeScope.Messages), Token);

        Assert.Equal(((long)done, (long)failed), (summary.Sessions, summary.Failed));
        Assert.Equal(done * 3, await archiver.Database.ScalarAsync<long>("SELECT sum(deleted_messages) FROM chat_sessions"));
    }

    [Fact]
    public async Task Takes_what_hangs_below_a_deleted_message_and_only_that()
    {
        var map = new SourceMap(
            new()
            {
                Table = new("public", "chats"),
                Key = "id",
                Activity = ["seen"],
            },
            [
                new()
                {
                    Name = "messages",
                    Table = new("public", "notes"),
                    ForeignKey = "chat",
                    ParentKey = "id",
                    Key = "id",
                    Order = ["id"],
                    Deleted = "gone",
                },
                new()
                {
                    Name = "files",
                    Table = new("public", "files"),
                    Parent = "messages",
                    ForeignKey = "note",
                    ParentKey = "id",
                    Key = "id",
                    Order = ["id"],
                },
                new()
                {
                    Name = "flags",
                    Table = new("public", "flags"),
                    ForeignKey = "chat",
                    ParentKey = "id",
                    Order = ["chat"],
                },
            ]
        );
        await using var archiver = await ArchiverFixture.CreateAsync(servers, map, null, null, Token);
        var db = archiver.Database;
        await db.ExecuteAsync(
            """
            CREATE TABLE chats (id int PRIMARY KEY, seen timestamptz NOT NULL);
            CREATE TABLE notes (id int PRIMARY KEY, chat int NOT NULL REFERENCES chats, gone date);
            CREATE INDEX ON notes (chat);
            CREATE TABLE files (id int PRIMARY KEY, note int NOT NULL REFERENCES notes);
            CREATE INDEX ON files (note);
            CREATE TABLE flags (chat int NOT NULL REFERENCES chats);
            CREATE INDEX ON flags (chat);
            INSERT INTO chats VALUES (1, now()), (2, now());
            INSERT INTO notes VALUES (10, 1, current_date - 100), (11, 1, NULL), (20, 2, current_date - 100), (21, 2, '-infinity');
            INSERT INTO files VALUES (100, 10), (101, 10), (110, 11), (200, 20), (210, 21);
            INSERT INTO flags VALUES (1), (2);
            """
        );
        // A file that is being added right now keeps its note.
        await using var writer = await db.DataSource.OpenConnectionAsync(Token);
        await using var open = await writer.BeginTransactionAsync(Token);
        await archiver.ExecuteAsync("INSERT INTO files VALUES (201, 20)", null, writer);

        var summary = await archiver.RunAsync(Purge(PurgeScope.Messages), Token);
        await open.CommitAsync(Token);

        Assert.Null(summary.Error);
        Assert.Equal((1L, 3L, 1L), (summary.Sessions, summary.Rows, summary.Reasons[DropReason.Locked]));
        Assert.Equal(
            "11,20,21 110,200,201,210 2 2",
            await db.ScalarAsync<string>(
                """
                SELECT concat_ws(' ', (SELECT string_agg(id::text, ',' ORDER BY id)
                  FROM notes), (SELECT string_agg(id::text, ',' ORDER BY id)
                  FROM files),
                  (SELECT count(*) FROM flags), (SELECT count(*) FROM chats))
                """
            )
        );
    }

    private Task<ArchiverFixture> CreateAsync(string deletedAt) =>
        MessagesAsync(servers, deletedAt, new() { Sessions = 10, Rows = 15 }, Token);
}
