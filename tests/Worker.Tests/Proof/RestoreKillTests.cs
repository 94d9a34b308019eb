using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Worker.Tests.Proof;

/// <summary>Parts, restores and replacements that are killed by SIGKILL between any two steps: nothing is lost, stale or double.</summary>
public sealed class RestoreKillTests(TestServers servers) : ThreeBatches(servers)
{
    // Old messages of sessions that live on: the steps are those of any archive, the rows are not all of a session's.
    [Fact]
    public async Task Loses_nothing_killed_at_every_step_of_a_run_that_archives_old_messages_and_of_their_restore()
    {
        string[] everything = ["restore", "--from", "2000-01-01"];
        await using var archiver = await BatchesOfThreeAsync(idle: 90);
        archiver
            .With("Sources:main:Policies:idle:IdleFor", null)
            .With("Sources:main:Policies:idle:Scope", "Messages")
            .With("Sources:main:Policies:idle:MessagesOlderThan", "90d")
            .With("Sources:main:Policies:idle:KeepLast", "2");
        await archiver.Database.ExecuteAsync("UPDATE chat_sessions SET last_activity = now(), ended_at = NULL");
        var rows = await archiver.RowsAsync();
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        await KillArchiveAtEveryStepAsync(archiver, oracle);
        Assert.Equal(
            (93L, 90L),
            (
                await archiver.LiveSessionsAsync(),
                await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE part AND state = 'archived'")
            )
        );
        await KillRestoreAtEveryStepAsync(archiver, oracle, everything);
        Assert.Equal(rows, await archiver.RowsAsync());
    }

    [Fact]
    public async Task Loses_nothing_killed_at_every_step_of_a_restore()
    {
        string[] everything = ["restore", "--from", "2000-01-01", "--on-conflict", "skip"];
        await using var archiver = await BatchesOfThreeAsync(idle: 12);
        var rows = await archiver.RowsAsync();
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        await archiver.ToRestAsync(Token, "archive");
        await KillRestoreAtEveryStepAsync(archiver, oracle, everything);
        Assert.Equal(rows, await archiver.RowsAsync());
    }

    [Fact]
    public async Task Loses_neither_version_killed_while_an_archive_takes_the_place_of_a_live_version()
    {
        await using var archiver = await BatchesOfThreeAsync(idle: 2);
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        await archiver.ToRestAsync(Token, "archive");
        var id = (await archiver.Database.ScalarAsync<string>("SELECT min(session_id) FROM archiver.archives"))!;
        await archiver.ToRestAsync(Token, "restore", id);
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_messages SET content = 'edited after the restore' WHERE session_id::text = "
                + "(SELECT min(session_id) FROM archiver.archives)"
        );
        foreach (var point in Of("replace"))
        {
            await archiver.KillAtAsync(point, 1, Token, "restore", id, "--generation", "1", "--on-conflict", "replace");
            Assert.NotEqual(
                0,
                await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_messages WHERE content = 'edited after the restore'")
            );
            Assert.Empty(await oracle.ViolationsAsync(atRest: false, Token));
        }

        await archiver.ToRestAsync(Token, "restore", id, "--generation", "1", "--on-conflict", "replace");

        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_messages WHERE content = 'edited after the restore'")
        );
    }
}
