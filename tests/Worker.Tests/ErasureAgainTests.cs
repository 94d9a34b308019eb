using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>What is called there, gone or failed after an erasure is what the rows say.</summary>
public sealed class ErasureAgainTests(TestServers servers) : ErasedChats(servers)
{
    [Fact]
    public async Task A_key_that_was_erased_may_live_again()
    {
        await using var archiver = await ChatsAsync();
        await archiver.RunAsync("archive");
        Assert.Equal(0, (await archiver.RunAsync("erase", "1", "--yes")).ExitCode);
        await TombstonesArePastAsync(archiver);
        await archiver.Database.ExecuteAsync(
            "INSERT INTO chats VALUES (1, 'carl', now() - interval '200 days', NULL); INSERT INTO "
                + "messages VALUES (21, 1, 'a new conversation')"
        );

        Assert.Contains("1 session archived", (await archiver.RunAsync("archive")).Output, StringComparison.Ordinal);

        Assert.Contains("1 session restored", (await archiver.RunAsync("restore", "1")).Output, StringComparison.Ordinal);
        Assert.Equal("a new conversation", await archiver.Database.ScalarAsync<string>("SELECT body FROM messages WHERE chat_id = 1"));
    }

    [Fact]
    public async Task A_session_that_no_restore_would_bring_back_is_not_deleted()
    {
        await using var archiver = await ChatsAsync();
        archiver.With("Sources:main:Tables:Session:Created", "created_at");
        await archiver.RunAsync("archive");
        Assert.Equal(0, (await archiver.RunAsync("erase", "1", "--yes")).ExitCode);
        await TombstonesArePastAsync(archiver);
        // As an application's own backup brings it back.
        await archiver.Database.ExecuteAsync(
            "INSERT INTO chats VALUES (1, 'ann', now() - interval '200 days', now() - interval '300 days')"
        );

        var run = await archiver.RunAsync("archive");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("1 session left: its id or user was erased after it began", run.Output, StringComparison.Ordinal);
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chats WHERE id = 1"));
    }

    [Fact]
    public async Task Sessions_that_the_application_deleted_after_their_restore_are_not_called_there()
    {
        await using var archiver = await ChatsAsync();
        await archiver.RunAsync("archive");
        Assert.Contains(
            "2 sessions restored",
            (await archiver.RunAsync("restore", "--from", "2020-01-01")).Output,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "2 sessions there already",
            (await archiver.RunAsync("restore", "--from", "2020-01-01")).Output,
            StringComparison.Ordinal
        );
        await archiver.Database.ExecuteAsync("DELETE FROM messages WHERE chat_id = 1; DELETE FROM chats WHERE id = 1");

        var again = await archiver.RunAsync("restore", "--from", "2020-01-01");
        Assert.Equal(1, again.ExitCode);
        Assert.Contains("1 session there already", again.Output, StringComparison.Ordinal);
        Assert.Contains("the application has deleted it since", again.Output, StringComparison.Ordinal);

        var found = await archiver.RunAsync("reconcile");
        Assert.Equal(1, found.ExitCode);
        Assert.Contains("1 session restored or stored, and deleted by the application since", found.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await archiver.RunAsync("reconcile", "--fix", "--yes")).ExitCode);
        Assert.Contains("bucket, ledger and rows agree", (await archiver.RunAsync("reconcile")).Output, StringComparison.Ordinal);
        Assert.Contains("1 session restored", (await archiver.RunAsync("restore", "1")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("archive")]
    [InlineData("archive", "--json")]
    [InlineData("restore", "1")]
    [InlineData("erase", "1", "--yes")]
    public async Task A_run_that_failed_says_why_on_its_last_line(params string[] arguments)
    {
        await using var archiver = await ChatsAsync();
        await archiver.RunAsync("archive");
        archiver.With("Storage:Bucket", "no-such-bucket");

        var result = await archiver.RunAsync(arguments);

        Assert.Equal(1, result.ExitCode);
        var last = result.Error.TrimEnd().Split('\n')[^1];
        Assert.StartsWith("archiver: ", last, StringComparison.Ordinal);
        Assert.Contains("no-such-bucket", last, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_was_refused_says_why_on_its_last_line()
    {
        await using var archiver = await ChatsAsync();
        await archiver.Database.ExecuteAsync("DROP INDEX messages_chat_id_idx");

        var result = await archiver.RunAsync("archive");

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("CREATE INDEX", result.Error.TrimEnd().Split("archiver: main/idle:")[^1], StringComparison.Ordinal);
    }

    // A tombstone is of whole seconds, rounded up.
    private static Task TombstonesArePastAsync(Installation archiver) =>
        Eventually.TrueAsync(
            () => archiver.Database.ScalarAsync<bool>("SELECT clock_timestamp() > max(at) + interval '2 seconds' FROM archiver.audit"),
            Token
        );
}
