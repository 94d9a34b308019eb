using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Worker.Tests.Proof;

/// <summary>The worker is killed by SIGKILL between any two steps, again and again, and nothing is lost, stale or double.</summary>
public sealed class KillTests(TestServers servers)
{
    // Purge and expiry are killed in PurgeKillTests; what is marked, or destroyed on purpose, in LifecycleKillTests.
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

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_fault_point_has_a_scenario() => Assert.All(ProcessFault.Points, p => Assert.Contains(p.Split('.')[0], Scenarios));

    // Each process starts from what the crash before it left: so the pairs of neighbours are tried as well.
    [Fact]
    public async Task Loses_nothing_killed_at_every_step_of_an_archive_run()
    {
        await using var archiver = await BatchesOfThreeAsync(idle: 90);
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        foreach (var point in Of("archive", "run"))
        {
            await archiver.KillAtAsync(
                point,
                point.EndsWith("object-stored", StringComparison.Ordinal) ? 2 : 1,
                Token,
                "archive",
                "--max-sessions",
                "6"
            );
            Assert.Empty(await oracle.ViolationsAsync(atRest: false, Token));
        }

        await archiver.ToRestAsync(Token, "archive");

        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(3, await archiver.LiveSessionsAsync());
        Assert.Equal(90, (await oracle.CountAsync(Token)).SessionsArchived);
    }

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
        foreach (var point in Of("archive", "run"))
        {
            await archiver.KillAtAsync(
                point,
                point.EndsWith("object-stored", StringComparison.Ordinal) ? 2 : 1,
                Token,
                "archive",
                "--max-sessions",
                "6"
            );
            Assert.Empty(await oracle.ViolationsAsync(atRest: false, Token));
        }

        await archiver.ToRestAsync(Token, "archive");

        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(
            (93L, 90L),
            (
                await archiver.LiveSessionsAsync(),
                await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE part AND state = 'archived'")
            )
        );
        foreach (var point in Of("restore"))
        {
            await archiver.KillAtAsync(point, 1, Token, everything);
            Assert.Empty(await oracle.ViolationsAsync(atRest: false, Token));
        }
        await archiver.ToRestAsync(Token, everything);
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(rows, await archiver.RowsAsync());
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

    [Fact]
    public async Task Loses_nothing_killed_at_every_step_of_a_restore()
    {
        string[] everything = ["restore", "--from", "2000-01-01", "--on-conflict", "skip"];
        await using var archiver = await BatchesOfThreeAsync(idle: 12);
        var rows = await archiver.RowsAsync();
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        await archiver.ToRestAsync(Token, "archive");
        foreach (var point in Of("restore"))
        {
            await archiver.KillAtAsync(point, 1, Token, everything);
            Assert.Empty(await oracle.ViolationsAsync(atRest: false, Token));
        }

        await archiver.ToRestAsync(Token, everything);

        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
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

    private static List<string> Of(params string[] scenarios)
    {
        var points = ProcessFault.Points.Where(p => scenarios.Contains(p.Split('.')[0])).ToList();
        Assert.All(scenarios, s => Assert.Contains(points, p => p.StartsWith($"{s}.", StringComparison.Ordinal)));
        return points;
    }

    private async Task<Installation> BatchesOfThreeAsync(int idle) =>
        (await Installation.CreateAsync(servers, Token, idle, young: 3)).Patient().With("Batch:Sessions", "3");
}
