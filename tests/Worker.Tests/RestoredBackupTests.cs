using System.Net;
using Archiver.Core.Diagnostics;
using Archiver.Testing;
using Archiver.Worker.Tests.Http;

namespace Archiver.Worker.Tests;

/// <summary>
/// A ledger that was lost or is of an earlier time, at the command line: rebuild and reconcile choose by time and content, and remove
/// nothing of which another object does not hold the same rows.
/// </summary>
public sealed class RestoredBackupTests(TestServers servers) : LostLedgerScenario(servers)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_rebuilt_ledger_takes_no_stale_object_for_the_archive_and_reconcile_leaves_the_newest(bool versioned)
    {
        await using var archiver = await CreateAsync(idle: 12, versioned);
        Assert.Equal(ProcessFault.Killed, await KilledAsync(archiver, FaultPoints.Uploaded));
        await archiver.Database.ExecuteAsync(
            "INSERT INTO chat_messages (session_id, role, content, timestamp) SELECT session_id, 'user', "
                + "'one more', last_activity FROM chat_sessions"
        );
        var rows = await archiver.RowsAsync();
        // The commit is through, its manifest is not.
        Assert.Equal(ProcessFault.Killed, await KilledAsync(archiver, FaultPoints.DeleteCommitted));
        Assert.Equal((0, 24), (await archiver.LiveSessionsAsync(), (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count));
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");

        var rebuilt = await archiver.RunAsync("ledger", "rebuild");
        var first = await archiver.RunAsync("reconcile", "--fix", "--yes");
        var second = await archiver.RunAsync("reconcile", "--fix", "--yes");

        Assert.Equal((0, 0, 0), (rebuilt.ExitCode, first.ExitCode, second.ExitCode));
        Assert.Equal(24, (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count);
        Assert.Equal(0, (await archiver.RunAsync("restore", "--from", "2000-01-01")).ExitCode);
        Assert.Equal(rows, await archiver.RowsAsync());
    }

    // The objects lie in another bucket, copied newest first, under keys whose nonces order nothing.
    [Fact]
    public async Task Without_a_ledger_the_newest_document_is_restored_and_not_the_object_that_was_written_last()
    {
        await using var archiver = await CreateAsync(idle: 1, versioned: true);
        Assert.Equal(ProcessFault.Killed, await KilledAsync(archiver, FaultPoints.Uploaded));
        var stale = await archiver.Bucket.ListKeysAsync("chat_archives/2");
        await archiver.Database.ExecuteAsync(
            "INSERT INTO chat_messages (session_id, role, content, timestamp) SELECT session_id, 'user', "
                + "'one more', last_activity FROM chat_sessions"
        );
        var rows = await archiver.RowsAsync();
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        var id = await archiver.Database.ScalarAsync<string>("SELECT session_id FROM archiver.archives");
        await archiver.Bucket.PutRawAsync(stale[0], await archiver.Bucket.GetRawAsync(stale[0], Token), Token);
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");

        var restored = await archiver.RunAsync("restore", id!);

        Assert.True(restored.ExitCode == 0, restored.Output + restored.Error);
        Assert.Equal(rows, await archiver.RowsAsync());
    }

    // The bucket has a second generation of the time that was given up; the first one of the restored ledger was read later.
    [Theory]
    [InlineData("reconcile --fix --yes")]
    [InlineData("ledger rebuild")]
    [InlineData("")]
    public async Task What_was_archived_last_is_the_newest_whatever_generations_a_restored_backup_left_in_the_bucket(string command)
    {
        await using var archiver = await CreateAsync(idle: 2);
        await archiver.Database.ExecuteAsync(
            "CREATE TABLE backup AS TABLE chat_sessions; CREATE TABLE messages_backup AS TABLE chat_messages"
        );
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("restore", "--from", "2000-01-01")).ExitCode);
        await archiver.Database.ExecuteAsync(
            "UPDATE archiver.archives SET restored_at = now() - interval '60 days'; UPDATE chat_messages SET content = 'given up'"
        );
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(0, await archiver.LiveSessionsAsync());
        await archiver.Database.ExecuteAsync(
            $"{Forget}; INSERT INTO chat_sessions SELECT * FROM backup; INSERT INTO chat_messages "
                + "OVERRIDING SYSTEM VALUE SELECT * FROM messages_backup; UPDATE chat_messages SET content = 'newest'"
        );
        var rows = await archiver.RowsAsync();
        var ids = (await archiver.Database.CopyOutAsync("SELECT session_id FROM chat_sessions")).TrimEnd().Split('\n');
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        if (!command.StartsWith("reconcile", StringComparison.Ordinal))
            await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");

        var settled = command.Length == 0 ? null : await archiver.RunAsync(command.Split(' '));
        var shown = command.Length == 0 ? null : await archiver.RunAsync("show", ids[0]);
        var restored = await archiver.RunAsync(["restore", .. ids]);

        Assert.True(settled is null || settled.ExitCode == 0, settled?.Output + settled?.Error);
        Assert.True(shown is null || shown.Output.Contains("newest", StringComparison.Ordinal), shown?.Output + shown?.Error);
        Assert.True(restored.ExitCode == 0, restored.Output + restored.Error);
        Assert.Equal(rows, await archiver.RowsAsync());
        if (command.StartsWith("reconcile", StringComparison.Ordinal))
            Assert.Equal(
                0,
                await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE reason LIKE '%no manifest%'")
            );
    }

    [Fact]
    public async Task A_document_of_an_erased_session_is_not_confirmed_to_whoever_has_it()
    {
        await using var archiver = await CreateAsync(idle: 1);
        archiver.With("Http:ApiKey", HttpFixture.Key).With("Sources:main:Policies:idle:Cron", "0 0 2 1 1 ?");
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        var id = (await archiver.Database.ScalarAsync<string>("SELECT session_id FROM archiver.archives"))!;
        var tag = await archiver.Database.ScalarAsync<string>("SELECT encode(json_sha256, 'hex') FROM archiver.archives");
        await archiver.Database.ExecuteAsync(
            "CREATE TABLE objects_backup AS TABLE archiver.objects; CREATE TABLE archives_backup AS TABLE archiver.archives"
        );
        Assert.Equal(0, (await archiver.RunAsync("erase", id, "--yes")).ExitCode);
        await archiver.Database.ExecuteAsync(
            """
            DELETE FROM archiver.erasures; DELETE FROM archiver.archives; DELETE FROM archiver.objects;
            INSERT INTO archiver.objects OVERRIDING SYSTEM VALUE SELECT * FROM objects_backup;
            INSERT INTO archiver.archives OVERRIDING SYSTEM VALUE SELECT * FROM archives_backup;
            """
        );
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);
        var request = HttpFixture.Bearer(HttpMethod.Get, $"/archives/{id}");
        request.Headers.IfNoneMatch.ParseAdd($"W/\"{tag}\"");

        using var answer = await worker.SendAsync(request, Token);

        Assert.Equal(HttpStatusCode.Conflict, answer.StatusCode);
    }

    private static async Task<int> KilledAsync(Installation archiver, string point)
    {
        await using var worker = archiver.Start(ProcessFault.At(point), "archive");
        return (await worker.WaitForExitAsync(Token)).ExitCode;
    }
}
