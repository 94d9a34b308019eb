using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Users and sessions are found however they are written, and a command that finds nobody says so.</summary>
public sealed class GivenIdTests(TestServers servers)
{
    private const string User = "abcdef00-0000-0000-0000-0000000000aa",
        Nobody = "abcdef00-0000-0000-0000-0000000000bb";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>As Swift and SQL Server print a uuid, and as .NET's B and N formats do.</summary>
    public static TheoryData<string> Spellings => [User.ToUpperInvariant(), $"{{{User}}}", User.Replace("-", "", StringComparison.Ordinal)];

    [Theory]
    [MemberData(nameof(Spellings))]
    public async Task A_hold_by_user_covers_the_user_however_it_is_written(string user)
    {
        await using var archiver = await ChatsAsync();

        var held = await archiver.RunAsync("hold", "add", "--user", user, "--reason", "case");
        Assert.Equal(0, held.ExitCode);
        Assert.Contains("it covers 3 sessions in the database and 0 archives", held.Output, StringComparison.Ordinal);
        Assert.Equal((0, 0), ((await archiver.RunAsync("purge")).ExitCode, (await archiver.RunAsync("archive")).ExitCode));
        Assert.Equal(3, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chats"));
    }

    // As versions before this one took it, or as it was before the column became a uuid.
    [Theory]
    [MemberData(nameof(Spellings))]
    public async Task A_hold_that_stands_in_the_ledger_as_it_was_typed_covers_the_user(string user)
    {
        await using var archiver = await ChatsAsync();
        Assert.Equal(0, (await archiver.RunAsync("migrate")).ExitCode);
        await archiver.Database.ExecuteAsync(
            $"INSERT INTO archiver.holds (source, user_id, reason, created_by) VALUES ('main', '{user}', 'case', 'me'), ('main', 'no "
                + "uuid', 'other', 'me')"
        );

        var before = await archiver.RunAsync("hold", "list");
        Assert.Equal((0, 0), ((await archiver.RunAsync("purge")).ExitCode, (await archiver.RunAsync("archive")).ExitCode));

        Assert.Equal(3, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chats"));
        Assert.Contains("user no uuid (no value of public.chats.", before.Output, StringComparison.Ordinal);
        Assert.DoesNotContain($"user {user} (", before.Output, StringComparison.Ordinal);
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.holds"));
    }

    [Theory]
    [MemberData(nameof(Spellings))]
    public async Task An_erasure_finds_the_user_live_and_archived_however_it_is_written(string user)
    {
        await using var archiver = await ChatsAsync();
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);

        var erased = await archiver.RunAsync("erase", "--user", user, "--yes");

        Assert.Equal((0, ""), (erased.ExitCode, erased.Error.Contains("failed", StringComparison.Ordinal) ? erased.Error : ""));
        Assert.Contains("erased 3 sessions", erased.Output, StringComparison.Ordinal);
        Assert.Equal(
            (0, 0),
            (
                await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chats"),
                await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'")
            )
        );
        var again = await archiver.RunAsync("erase", "--user", user, "--yes");
        Assert.Equal(0, again.ExitCode);
        Assert.Contains($"{User} was erased before", again.Output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Spellings))]
    public async Task List_and_restore_find_the_user_however_it_is_written(string user)
    {
        await using var archiver = await ChatsAsync();
        await archiver.RunAsync("archive");

        Assert.Contains(User, (await archiver.RunAsync("list", "--user", user)).Output, StringComparison.Ordinal);
        var restored = await archiver.RunAsync("restore", "--user", user);
        Assert.Equal(0, restored.ExitCode);
        Assert.Contains("1 session restored", restored.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_is_found_however_its_key_is_written()
    {
        await using var archiver = await ChatsAsync();
        await archiver.RunAsync("archive");
        await archiver.Database.ExecuteAsync(
            "INSERT INTO archiver.quarantine (source, session_id, reason, attempts, run_id) VALUES "
                + "('main', '3', 'object differs', 1, gen_random_uuid())"
        );

        Assert.Equal(0, (await archiver.RunAsync("show", "0002")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("quarantine", "retry", "+3")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("hold", "add", "--session", "0001", "--reason", "case")).ExitCode);
        Assert.Contains("1 session restored", (await archiver.RunAsync("restore", "0002")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await archiver.RunAsync("erase", "0002", "--yes")).ExitCode);
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chats"));
    }

    [Theory]
    [InlineData("erase", "--user", "alice", "--yes")]
    [InlineData("erase", "two", "--yes")]
    [InlineData("hold", "add", "--user", "alice", "--reason", "case")]
    [InlineData("hold", "add", "--session", "two", "--reason", "case")]
    [InlineData("restore", "--user", "alice")]
    [InlineData("list", "--user", "alice")]
    public async Task A_text_that_is_no_value_of_the_column_is_wrong_usage(params string[] arguments)
    {
        await using var archiver = await ChatsAsync();
        await archiver.RunAsync("migrate");

        var result = await archiver.RunAsync(arguments);

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains("is no value of public.chats.", LastLine(result.Error), StringComparison.Ordinal);
        Assert.Equal(3, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chats"));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.holds"));
    }

    [Theory]
    [InlineData("nothing was found, so nothing was erased", "erase", "--user", Nobody, "--yes")]
    [InlineData("99 is not known", "erase", "99", "--yes")]
    [InlineData("No archive of source 'main' matches", "restore", "--user", Nobody)]
    [InlineData("No archive of source 'main' matches", "restore", "--from", "2020-01-01", "--to", "2020-01-02")]
    [InlineData("covers nothing now", "hold", "add", "--user", Nobody, "--reason", "case")]
    [InlineData("was not paused", "resume")]
    [InlineData("was not paused", "resume", "main")]
    [InlineData("No session '99' has failed", "quarantine", "retry", "99")]
    [InlineData("No session has failed", "quarantine", "retry", "--all")]
    public async Task A_command_that_finds_nothing_says_so_and_is_not_done(string said, params string[] arguments)
    {
        await using var archiver = await ChatsAsync();
        await archiver.RunAsync("archive");

        var result = await archiver.RunAsync(arguments);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(said, result.Output + result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("complete", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("done", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--from", "2020-01-01")]
    [InlineData("--user", Nobody)]
    public async Task A_restore_by_user_or_dates_without_a_ledger_says_that_it_cannot_tell(params string[] arguments)
    {
        await using var archiver = await ChatsAsync();

        var result = await archiver.RunAsync(["restore", .. arguments]);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("archiver ledger rebuild", LastLine(result.Error), StringComparison.Ordinal);
        Assert.DoesNotContain("done", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_policy_that_does_not_exist_cannot_be_resumed_and_one_that_did_can()
    {
        await using var archiver = await ChatsAsync();
        await archiver.RunAsync("migrate");
        await archiver.Database.ExecuteAsync("INSERT INTO archiver.pauses (source, policy, paused_by) VALUES ('main', 'former', 'me')");

        Assert.Equal(2, (await archiver.RunAsync("resume", "main/ilde")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("resume", "main/former")).ExitCode);
        await archiver.RunAsync("pause", "main");
        Assert.Equal(1, (await archiver.RunAsync("resume", "main/idle")).ExitCode);
    }

    private static string LastLine(string text) => text.TrimEnd().Split('\n')[^1];

    /// <summary>Three chats of one user: one deleted, one idle, one young. Keys are integers, users uuids.</summary>
    private async Task<Installation> ChatsAsync()
    {
        var archiver = await Installation.CreateAsync(servers, Token, idle: 0, young: 0);
        await archiver.Database.ExecuteAsync(
            $"""
            CREATE TABLE chats (id int PRIMARY KEY, user_id uuid NOT NULL, deleted_at timestamptz, updated_at timestamptz NOT NULL);
            CREATE TABLE messages (id int PRIMARY KEY, chat_id int NOT NULL REFERENCES chats, body text);
            CREATE INDEX ON messages (chat_id); CREATE INDEX ON chats (updated_at, id); CREATE INDEX ON chats (deleted_at, id);
            INSERT INTO chats VALUES (1, '{User}', now() - interval '60 days', now() - interval '60 days'),
             (2, '{User}', NULL, now() - interval '100 days'), (3, '{User}', NULL, now());
            INSERT INTO messages SELECT id, id, 'secret' FROM chats;
            """
        );
        return archiver
            .With("Sources:main:Preset", null)
            .With("Sources:main:Tables:Session:Table", "chats")
            .With("Sources:main:Tables:Session:Key", "id")
            .With("Sources:main:Tables:Session:Activity:0", "updated_at")
            .With("Sources:main:Tables:Session:User", "user_id")
            .With("Sources:main:Tables:Session:Deleted", "deleted_at")
            .With("Sources:main:Tables:Children:messages:Table", "messages")
            .With("Sources:main:Tables:Children:messages:ForeignKey", "chat_id")
            .With("Sources:main:Tables:Children:messages:ParentKey", "id")
            .With("Sources:main:Tables:Children:messages:Key", "id")
            .With("Sources:main:Tables:Children:messages:Order:0", "id")
            .With("Sources:main:Policies:gone:Action", "Purge")
            .With("Sources:main:Policies:gone:DeletedFor", "30d");
    }
}
