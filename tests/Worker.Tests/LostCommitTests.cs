using Archiver.Testing;
using static Archiver.Worker.Tests.LostAnswers;

namespace Archiver.Worker.Tests;

/// <summary>A command whose commit happened says so, also when the server's answer to it was lost.</summary>
public sealed class LostCommitTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(
        "hold add",
        "SELECT count(*) FROM archiver.holds WHERE removed_at IS NULL",
        2,
        "hold",
        "add",
        "--session",
        "ID",
        "--reason",
        "case"
    )]
    [InlineData("hold remove", "SELECT count(*) FROM archiver.holds WHERE removed_at IS NOT NULL", 1, "hold", "remove", "1")]
    [InlineData("pause", "SELECT count(*) FROM archiver.pauses WHERE policy = 'idle'", 1, "pause", "main/idle")]
    [InlineData("resume", "SELECT count(*) FROM (SELECT WHERE NOT EXISTS (SELECT FROM archiver.pauses)) AS n", 1, "resume", "main")]
    [InlineData("accept", "SELECT count(*) FROM archiver.acceptances", 1, "accept", "main/idle")]
    [InlineData(
        "quarantine retry",
        "SELECT count(*) FROM (SELECT WHERE NOT EXISTS (SELECT FROM archiver.quarantine)) AS n",
        1,
        "quarantine",
        "retry",
        "--all"
    )]
    public async Task A_change_of_the_ledger_whose_answer_was_lost_is_not_called_failed(
        string action,
        string done,
        long rows,
        params string[] arguments
    )
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        var session = (await archiver.Database.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions"))!;
        Assert.Equal(0, (await archiver.RunAsync("hold", "add", "--session", session, "--reason", "case")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("pause", "main")).ExitCode);
        await archiver.Database.ExecuteAsync(
            "INSERT INTO archiver.quarantine (source, session_id, reason, attempts, run_id) VALUES "
                + $"('main', '{session}', 'object differs', 1, gen_random_uuid())"
        );
        await using var relay = Between(archiver);
        relay.LoseAnswerTo(Commit);

        var result = await archiver.RunAsync([.. arguments.Select(a => a == "ID" ? session : a)]);

        Assert.Equal((1, 0, ""), (relay.Lost, result.ExitCode, result.Error));
        Assert.Equal(rows, await archiver.Database.ScalarAsync<long>(done));
        Assert.Equal(
            action == "pause" || action == "hold add" ? 2 : 1,
            await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM archiver.audit WHERE action = '{action}'")
        );
    }

    // What the whole ledger depends on, each in one transaction.
    [Theory]
    [InlineData("SELECT count(*) FROM archiver.archives WHERE state = 'archived'", 2, "reconcile", "--fix", "--yes")]
    [InlineData("SELECT count(*) FROM archiver.archives WHERE state = 'archived'", 2, "ledger", "rebuild")]
    [InlineData("SELECT count(*) FROM archiver.objects WHERE location = 'PLACE'", 2, "ledger", "move", "--yes")]
    [InlineData("SELECT count(*) FROM archiver.archives WHERE source = 'chat'", 2, "source", "rename", "main", "chat")]
    [InlineData("SELECT count(*) FROM archiver.owners WHERE database = 'earlier'", 1, "ledger", "own", "--from", "1/earlier", "--yes")]
    [InlineData("SELECT count(*) FROM archiver.source_tables WHERE source = 'main'", 2, "source", "add", "main")]
    [InlineData("SELECT count(*) FROM archiver.migrations WHERE version = 11", 1, "migrate")]
    public async Task A_change_of_the_whole_ledger_whose_answer_was_lost_is_not_called_failed(
        string done,
        long rows,
        params string[] arguments
    )
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        await using var moved = await TestBucket.CreateAsync(servers, Token);
        switch (arguments[1..].FirstOrDefault())
        {
            case "--fix" or "rebuild":
                await archiver.Database.ExecuteAsync("DELETE FROM archiver.archives; DELETE FROM archiver.objects");
                break;
            case "move":
                await BucketCopy.CopyAsync(archiver.Bucket, moved);
                archiver.With("Storage:Bucket", moved.Name);
                break;
            case "rename":
                archiver.RenameSource("main", "chat");
                break;
            case "add":
                await archiver.Database.ExecuteAsync("DELETE FROM archiver.source_tables");
                break;
            case null:
                await archiver.Database.ExecuteAsync(
                    "DELETE FROM archiver.migrations WHERE version = 11; ALTER TABLE archiver.archives DROP COLUMN session_first_activity"
                );
                break;
        }
        await using var relay = Between(archiver);
        relay.LoseAnswerTo(Commit);

        var result = await archiver.RunAsync(arguments);

        Assert.Equal((1, 0, ""), (relay.Lost, result.ExitCode, result.Error));
        Assert.Equal(
            rows,
            await archiver.Database.ScalarAsync<long>(done.Replace("PLACE", $"s3://{moved.Name}", StringComparison.Ordinal))
        );
    }
}
