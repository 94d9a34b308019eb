using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Worker.Tests.Proof;

/// <summary>The worker is killed by SIGKILL between any two steps, again and again, and nothing is lost, stale or double.</summary>
public sealed class KillTests(TestServers servers) : ThreeBatches(servers)
{
    // Purge and expiry are killed in PurgeKillTests; what is marked, or destroyed on purpose, in those of its kind: DiscardKillTests,
    // ErasureKillTests, DelayedDeleteKillTests.
    private static readonly string[] Scenarios =
    [
        "run",
        "archive",
        "part",
        "restore",
        "replace",
        "change",
        "purge",
        "expire",
        "delay",
        "discard",
        "erase",
    ];

    [Fact]
    public void Every_fault_point_has_a_scenario() => Assert.All(ProcessFault.Points, p => Assert.Contains(p.Split('.')[0], Scenarios));

    // Each process starts from what the crash before it left: so the pairs of neighbours are tried as well.
    [Fact]
    public async Task Loses_nothing_killed_at_every_step_of_an_archive_run()
    {
        await using var archiver = await BatchesOfThreeAsync(idle: 90);
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        await KillArchiveAtEveryStepAsync(archiver, oracle);
        Assert.Equal(3, await archiver.LiveSessionsAsync());
        Assert.Equal(90, (await oracle.CountAsync(Token)).SessionsArchived);
    }

    [Fact]
    public async Task Loses_nothing_killed_between_the_parts_of_a_large_object()
    {
        await using var archiver = await BatchesOfThreeAsync(idle: 2);
        await archiver.Database.ExecuteAsync(
            """
            INSERT INTO chat_messages (session_id, role, content, timestamp)
            SELECT (SELECT min(session_id::text)::uuid FROM chat_sessions WHERE last_activity < now() - interval '90 days'), 'user',
                   (SELECT string_agg(encode(sha256(convert_to(n || '/' || i, 'UTF8')), 'base64'), '')
                     FROM generate_series(1, 25000) AS i), now() - interval '200 days'
            FROM generate_series(1, 22) AS n
            """
        );
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        foreach (var point in Of("part"))
        {
            await archiver.KillAtAsync(point, 1, Token, "archive");
            Assert.Empty(await oracle.ViolationsAsync(atRest: false, Token));
        }

        await archiver.ToRestAsync(Token, "archive");

        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(2, (await oracle.CountAsync(Token)).SessionsArchived);
    }
}
