using Archiver.Core.Diagnostics;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Worker.Tests.Proof;

/// <summary>Workers that sleep, and workers that meet on one backlog.</summary>
public sealed class SuspendedWorkerTests(TestServers servers)
{
    private const string EndLock = """
        SELECT count(*) FILTER (WHERE pg_terminate_backend(l.pid, 5000))
        FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database AND d.datname = current_database()
        WHERE l.locktype = 'advisory' AND l.mode = 'ExclusiveLock'
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // SIGSTOP as a machine that was suspended; the server ends the lock's connection as idle_session_timeout does after two minutes.
    [Theory]
    [InlineData(FaultPoints.Verified)]
    [InlineData(FaultPoints.DeleteRecorded)]
    public async Task A_worker_that_slept_until_another_took_over_deletes_nothing(string point)
    {
        await using var archiver = (await Installation.CreateAsync(servers, Token, idle: 4, young: 1)).Patient();
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        await using var sleeper = archiver.Start(ProcessFault.At(point, 1, ProcessSignal.Stop), "archive");
        await sleeper.WaitForTextAsync("fault point", Token);
        Assert.True(await archiver.Database.ScalarAsync<long>(EndLock) > 0);
        await archiver.ToRestAsync(Token, "archive");
        Assert.Empty(await oracle.ViolationsAsync(atRest: false, Token));

        sleeper.SendSignal(ProcessSignal.Continue);
        var slept = await sleeper.WaitForExitAsync(Token);

        Assert.Equal(1, slept.ExitCode);
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>($"SELECT sessions_done FROM archiver.runs WHERE worker LIKE '%/{sleeper.Id}'")
        );
        // What the sleeper had locked in an open transaction was in use for the other one; a third run takes it.
        await archiver.ToRestAsync(Token, "archive");
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(4, (await oracle.CountAsync(Token)).SessionsArchived);
    }

    // Nothing else stands in the way here: the locks of its transaction are held, and nobody else has archived these sessions.
    [Fact]
    public async Task A_worker_that_lost_its_lock_while_it_slept_commits_nothing()
    {
        await using var archiver = (await Installation.CreateAsync(servers, Token, idle: 4, young: 1)).Patient();
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        await using var sleeper = archiver.Start(ProcessFault.At(FaultPoints.DeleteRecorded, 1, ProcessSignal.Stop), "archive");
        await sleeper.WaitForTextAsync("fault point", Token);
        Assert.True(await archiver.Database.ScalarAsync<long>(EndLock) > 0);

        sleeper.SendSignal(ProcessSignal.Continue);
        var slept = await sleeper.WaitForExitAsync(Token);

        Assert.Equal(1, slept.ExitCode);
        Assert.Contains("or this process was suspended", slept.Error, StringComparison.Ordinal);
        Assert.Equal(5, await archiver.LiveSessionsAsync());
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    [Fact]
    public async Task Each_session_is_archived_once_when_two_workers_are_started_on_one_backlog()
    {
        await using var archiver = (await Installation.CreateAsync(servers, Token, idle: 40, young: 1))
            .Patient()
            .With("Batch:Sessions", "4");
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);

        var results = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => archiver.RunAsync("archive")));

        // One has the lock; the others are told so.
        Assert.All(results, r => Assert.True(r.ExitCode is 0 or 3, r.Error));
        Assert.Contains(results, r => r.ExitCode == 0);
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(40, (await oracle.CountAsync(Token)).SessionsArchived);
        Assert.Equal(40, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives"));
    }
}
