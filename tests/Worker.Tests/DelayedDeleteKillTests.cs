using Archiver.Testing;
using Archiver.Testing.Proof;
using static Archiver.Worker.Tests.KilledVerb;

namespace Archiver.Worker.Tests;

/// <summary>A delayed delete that is killed by SIGKILL between any two steps: each session is whole on one side.</summary>
public sealed class DelayedDeleteKillTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_delayed_delete_killed_at_every_step_leaves_each_session_whole_on_one_side()
    {
        const int idle = 4,
            messages = 2;
        await using var archiver = await Installation.CreateAsync(servers, Token, idle, young: 1, messages: messages);
        archiver.With("Sources:main:Policies:idle:DeleteAfter", "1ms").With("Batch:Sessions", "1");
        var rows = await archiver.Database.CopyOutAsync("SELECT * FROM chat_messages ORDER BY id");
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        var points = Of("delay").ToLookup(p => p is "delay.marked" or "delay.stored-recorded");
        foreach (var point in points[true])
            await KillOneAsync(point);
        Assert.Equal(0, (await ToRestAsync(archiver, "archive")).ExitCode);
        Assert.Equal(idle, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'stored'"));
        foreach (var point in points[false])
            await KillOneAsync(point);

        Assert.Equal(0, (await ToRestAsync(archiver, "archive")).ExitCode);

        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(
            (idle, 1L),
            (
                await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'"),
                await archiver.LiveSessionsAsync()
            )
        );
        Assert.Equal(0, (await archiver.RunAsync("restore", "--from", "2000-01-01")).ExitCode);
        Assert.Equal(rows, await archiver.Database.CopyOutAsync("SELECT * FROM chat_messages ORDER BY id"));

        async Task KillOneAsync(string point)
        {
            await KillAtAsync(archiver, point, "archive");
            Assert.Equal(
                idle,
                await archiver.Database.ScalarAsync<long>(
                    $"""
                    SELECT (SELECT count(*) FROM archiver.archives WHERE state = 'archived')
                         + (SELECT count(*) FROM chat_sessions s WHERE last_activity < now() - interval '90 days'
                           AND {messages} = (SELECT count(*) FROM chat_messages m WHERE m.session_id = s.session_id)
                              AND s.archived = EXISTS (SELECT FROM archiver.archives a WHERE a.session_id = s.session_id::text
                                AND a.state = 'stored'))
                    """
                )
            );
            Assert.Empty(await oracle.ViolationsAsync(atRest: false, Token));
        }
    }
}
