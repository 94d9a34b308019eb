using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Users and sessions are found however they are written, and a command that finds nobody says so.</summary>
public sealed class GivenIdTests(TestServers servers) : SpelledUsers(servers)
{
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
}
