using Archiver.Core.Diagnostics;
using Archiver.Testing;
using Archiver.Testing.Proof;
using static Archiver.Worker.Tests.KilledVerb;

namespace Archiver.Worker.Tests;

/// <summary>
/// An erasure that is killed by SIGKILL between any two steps: the same command, given again, ends it, and nobody else is touched.
/// </summary>
public sealed class ErasureKillTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_erasure_killed_at_every_step_erases_the_user_and_nobody_else()
    {
        const string user = "user-to-forget";
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 5, young: 2, messages: 2);
        archiver.With("Storage:Layout", "Bundle");
        await archiver.Database.ExecuteAsync(
            $"""
            UPDATE chat_sessions SET user_id = 'somebody';
            UPDATE chat_sessions SET user_id = '{user}'
              WHERE session_id IN (SELECT session_id FROM chat_sessions ORDER BY last_activity LIMIT 2);
            UPDATE chat_sessions SET user_id = '{user}'
              WHERE session_id = (SELECT session_id FROM chat_sessions ORDER BY last_activity DESC LIMIT 1);
            """
        );
        var rows = await archiver.Database.CopyOutAsync(
            $"SELECT * FROM chat_messages WHERE session_id IN (SELECT session_id FROM chat_sessions WHERE user_id <> '{user}') ORDER BY id"
        );
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        await archiver.RunAsync("archive");
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        var forgotten = (await archiver.Database.CopyOutAsync($"SELECT session_id FROM archiver.archives WHERE user_id = '{user}'"))
            .TrimEnd()
            .Split('\n');
        foreach (var point in Of("erase"))
        {
            await KillAtAsync(archiver, point, "erase", "--user", user, "--yes");
            Assert.Empty(await oracle.ViolationsAsync(atRest: false, Token));
            // Nothing comes back meanwhile, and no run makes a new copy: while its object is there the tombstone alone sees to that.
            var restored = await ToRestAsync(archiver, "restore", forgotten[0]);
            Assert.True(restored.ExitCode == 1, $"{point}: {restored.ExitCode} {restored.Output}{restored.Error}");
            Assert.Contains("nothing was restored", restored.Output, StringComparison.Ordinal);
            if (point is not (FaultPoints.EraseObjectsRemoved or FaultPoints.EraseObjectsRecorded))
                Assert.Contains(
                    "it was erased on request and does not come back",
                    restored.Output + restored.Error,
                    StringComparison.Ordinal
                );
        }

        Assert.Equal(0, (await ToRestAsync(archiver, "erase", "--user", user, "--yes")).ExitCode);

        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_sessions WHERE user_id = '{user}'"));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM archiver.archives WHERE user_id = '{user}'"));
        var ledger =
            await archiver.Database.CopyOutAsync("SELECT * FROM archiver.archives")
            + await archiver.Database.CopyOutAsync("SELECT * FROM archiver.objects WHERE state <> 'abandoned'");
        Assert.All(forgotten, id => Assert.DoesNotContain(id, ledger, StringComparison.Ordinal));
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("verify", "--all")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("restore", "--from", "2000-01-01")).ExitCode);
        Assert.Equal(rows, await archiver.Database.CopyOutAsync("SELECT * FROM chat_messages ORDER BY id"));
    }
}
