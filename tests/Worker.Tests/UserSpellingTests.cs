using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>What the user column takes for one user is one user, however the ledger, a document or a person spells it.</summary>
public sealed class UserSpellingTests(TestServers servers)
{
    private const string User = "abcdef00-0000-0000-0000-0000000000aa";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Type of the column and a user in it; its type since, and the user as it writes it.</summary>
    public static TheoryData<string, string, string, string> Altered =>
        new()
        {
            { "text", User.ToUpperInvariant(), "uuid", User },
            { "text", $"{{{User}}}", "uuid", User },
            { "text", User.Replace("-", "", StringComparison.Ordinal), "uuid", User },
            { "text", "007", "integer", "7" },
            { "text", " +7 ", "bigint", "7" },
            { "numeric(10,2)", "7.00", "smallint", "7" },
            { "text", "07.50", "numeric", "7.5" },
        };

    [Theory]
    [MemberData(nameof(Altered))]
    public async Task A_user_from_before_the_column_got_its_type_is_held_found_restored_and_erased(
        string type,
        string user,
        string altered,
        string asked
    )
    {
        await using var archiver = await ChatsAsync(type, user);
        Assert.Equal(0, (await archiver.RunAsync("archive", "--max-sessions", "2")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("hold", "add", "--user", user, "--reason", "case")).ExitCode);
        await archiver.Database.ExecuteAsync($"ALTER TABLE chats ALTER COLUMN owner TYPE {altered} USING owner::{altered}");

        // Held: the live one and both archives.
        Assert.DoesNotContain("no value of", (await archiver.RunAsync("hold", "list")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chats"));
        Assert.Equal(1, (await archiver.RunAsync("erase", "--user", asked, "--yes")).ExitCode);
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'"));
        Assert.Equal(0, (await archiver.RunAsync("hold", "remove", "1")).ExitCode);

        Assert.Equal(3, (await archiver.RunAsync("list", "--user", asked)).Output.TrimEnd().Split('\n').Length);
        Assert.Contains(
            "2 sessions restored",
            (await archiver.RunAsync("restore", "--user", asked, "--accept-loss", "owner")).Output,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "2 sessions there already",
            (await archiver.RunAsync("restore", "--user", asked, "--accept-loss", "owner")).Output,
            StringComparison.Ordinal
        );
        Assert.Contains("erased 3 sessions", (await archiver.RunAsync("erase", "--user", asked, "--yes")).Output, StringComparison.Ordinal);
        // The hold was lifted; whose it was is nobody's business any more.
        Assert.Equal("erased", await archiver.Database.ScalarAsync<string>("SELECT user_id FROM archiver.holds"));
    }

    // In the bucket's backup was a copy of which nobody knew when the user was erased: it is known by its user alone.
    [Theory]
    [InlineData("text", "ABCDEF00-0000-0000-0000-0000000000AA", "uuid", User)]
    [InlineData("text", "007", "integer", "7")]
    [InlineData("numeric", "7.0", "numeric", "7.00")]
    [InlineData("citext", "Bob", "citext", "BOB")]
    public async Task An_erased_user_does_not_come_back_in_another_spelling(string type, string user, string altered, string asked)
    {
        await using var archiver = await ChatsAsync(type, user);
        Assert.Equal(0, (await archiver.RunAsync("archive", "--max-sessions", "2")).ExitCode);
        var key = (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token))[0];
        var session = key.Split('/')[^1].Split('.')[0];
        var copy = await archiver.Bucket.GetRawAsync(key, Token);
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, key, Token);
        await archiver.Database.ExecuteAsync(
            $"DELETE FROM archiver.archives WHERE session_id = '{session}'; DELETE FROM archiver.objects WHERE '{session}' = ANY (members)"
        );
        await archiver.Database.ExecuteAsync($"ALTER TABLE chats ALTER COLUMN owner TYPE {altered} USING owner::{altered}");
        Assert.Equal(0, (await archiver.RunAsync("erase", "--user", asked, "--yes")).ExitCode);
        await archiver.Bucket.PutRawAsync(key, copy, Token);

        Assert.Contains(
            "1 document of erased sessions left out",
            (await archiver.RunAsync("ledger", "rebuild")).Output,
            StringComparison.Ordinal
        );
        var restored = await archiver.RunAsync("restore", "--object", key);
        Assert.Equal(1, restored.ExitCode);
        Assert.Contains("it was erased on request", restored.Output + restored.Error, StringComparison.Ordinal);
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chats"));
    }

    /// <summary>Three idle chats of one user.</summary>
    private async Task<Installation> ChatsAsync(string type, string user) => (
            await Installation.CreateAsync(
                servers,
                $"""
                {(type == "citext" ? "CREATE EXTENSION citext;" : "")}
                CREATE TABLE chats (id int PRIMARY KEY, owner {type} NOT NULL, updated_at timestamptz NOT NULL);
                CREATE TABLE messages (id int PRIMARY KEY, chat_id int NOT NULL REFERENCES chats, body text);
                CREATE INDEX ON messages (chat_id); CREATE INDEX ON chats (updated_at, id);
                INSERT INTO chats SELECT n, '{user}', now() - interval '100 days' FROM generate_series(1, 3) AS n;
                INSERT INTO messages SELECT id, id, 'secret' FROM chats;
                """,
                Token
            )
        ).With("Sources:main:Tables:Session:Table", "chats").With("Sources:main:Tables:Session:Key", "id").With("Sources:main:Tables:Session:Activity:0", "updated_at").With("Sources:main:Tables:Session:User", "owner").With("Sources:main:Tables:Children:messages:Table", "messages").With("Sources:main:Tables:Children:messages:ForeignKey", "chat_id").With("Sources:main:Tables:Children:messages:ParentKey", "id").With("Sources:main:Tables:Children:messages:Key", "id").With("Sources:main:Tables:Children:messages:Order:0", "id");
}
