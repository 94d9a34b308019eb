using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// A table whose rows point to rows of several tables, and say so in a column: those of the session are its own, the others are nobody's
/// business.
/// </summary>
public sealed class ChildConditionTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("text", "Chat")]
    [InlineData("kind", "Chat")]
    [InlineData("int", "7")]
    public async Task Only_the_rows_that_say_so_are_archived_restored_and_erased(string type, string own)
    {
        var other = type == "int" ? "8" : "Ticket";
        await using var archiver = await TimedChats.CreateAsync(
            servers,
            $"""
            CREATE TYPE kind AS ENUM ('Chat', 'Ticket', 'Reaction');
            CREATE TABLE chats (id int PRIMARY KEY, seen timestamptz NOT NULL);
            CREATE TABLE comments (id int PRIMARY KEY, of_type {type} NOT NULL, of_id int NOT NULL, at timestamptz NOT NULL,
              gone timestamptz, body text);
            CREATE TABLE likes (id int PRIMARY KEY, comment_id int NOT NULL);
            CREATE INDEX ON comments (of_id); CREATE INDEX ON likes (comment_id);
            INSERT INTO chats VALUES (1, now() - interval '200 days'), (2, now());
            INSERT INTO comments SELECT 10 * c + k, CASE k WHEN 0 THEN '{own}'
              ELSE '{other}' END::{type}, c, now() - interval '200 days' + k * interval '199 days', NULL, 'hello'
                FROM generate_series(1, 2) AS c, generate_series(0, 1) AS k;
            INSERT INTO likes SELECT id, id FROM comments;
            """,
            new()
            {
                ["Session:Activity:0"] = "seen",
                ["Children:messages:Table"] = "comments",
                ["Children:messages:ForeignKey"] = "of_id",
                ["Children:messages:ParentKey"] = "id",
                ["Children:messages:Where:of_type"] = own,
                ["Children:messages:Key"] = "id",
                ["Children:messages:Order:0"] = "id",
                ["Children:messages:Time"] = "at",
                ["Children:messages:Deleted"] = "gone",
                ["Children:likes:Table"] = "likes",
                ["Children:likes:Parent"] = "messages",
                ["Children:likes:ForeignKey"] = "comment_id",
                ["Children:likes:ParentKey"] = "id",
                ["Children:likes:Order:0"] = "id",
            }
        );
        var rows = await RowsAsync();

        // The young comment on ticket 1 does not keep chat 1.
        var archived = await archiver.RunAsync("archive");
        Assert.True(archived.ExitCode == 0, archived.Error + archived.Output);
        Assert.Equal("11,20,21 11,20,21", await LeftAsync());
        Assert.Equal(0, (await archiver.RunAsync("verify", "--all", "--restore-drill", "1")).ExitCode);
        var orphans = await archiver.RunAsync("reconcile");
        Assert.True(orphans.ExitCode == 0, orphans.Error + orphans.Output);
        Assert.Equal(0, (await archiver.RunAsync("restore", "1")).ExitCode);
        Assert.Equal(rows, await RowsAsync());
        Assert.Equal(0, (await archiver.RunAsync("erase", "1", "--yes")).ExitCode);
        Assert.Equal("11,20,21 11,20,21", await LeftAsync());

        Task<string?> LeftAsync() =>
            archiver.Database.ScalarAsync<string?>(
                "SELECT (SELECT string_agg(id::text, ',' ORDER BY id) FROM "
                    + "comments) || ' ' || (SELECT string_agg(id::text, ',' ORDER BY id) FROM likes)",
                Token
            );
        async Task<string> RowsAsync() =>
            await archiver.Database.CopyOutAsync("SELECT * FROM chats ORDER BY id")
            + await archiver.Database.CopyOutAsync("SELECT * FROM comments ORDER BY id")
            + await archiver.Database.CopyOutAsync("SELECT * FROM likes ORDER BY id");
    }
}
