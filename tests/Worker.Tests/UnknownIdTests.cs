using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>A command that finds nobody says so.</summary>
public sealed class UnknownIdTests(TestServers servers) : SpelledUsers(servers)
{
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
}
