using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Worker.Tests;

/// <summary>
/// A delayed delete, a discard and an erasure that are killed by SIGKILL between any two steps: the same command, given again, ends them,
/// and nobody else is touched.
/// </summary>
public sealed class LifecycleKillTests(TestServers servers)
{
    private const string Old = "now() - interval '400 days'";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_discard_killed_at_every_step_ends_what_is_due_and_nothing_else()
    {
        var points = Of("discard");
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: points.Count + 2, young: 1);
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        await archiver.With("Discard:After", "365d").RunAsync("archive");
        // What is destroyed later has been read by then.
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        for (var due = 1; due <= points.Count; due++)
        {
            // One more is due each time, so that every point is come to with something in hand.
            await archiver.Database.ExecuteAsync(
                $"""
                UPDATE archiver.archives SET stored_at = {Old} WHERE id <= {due};
                UPDATE archiver.objects SET created_at = {Old}, stored_at = {Old}
                  WHERE id IN (SELECT object_id FROM archiver.archives WHERE id <= {due});
                """
            );
            if (due > 1)
                await archiver.Database.ExecuteAsync(
                    $"UPDATE archiver.objects SET discard_announced_at = {Old} WHERE created_at < now() - interval '1 year'"
                );
            await KillAtAsync(archiver, points[due - 1], "discard", "--yes");
            Assert.Equal(
                0,
                await UnfoundAsync(
                    archiver,
                    "state IN ('archived', 'stored') AND NOT EXISTS (SELECT FROM archiver.objects o "
                        + "WHERE o.id = a.object_id AND o.removal_began_at IS NOT NULL)"
                )
            );
            Assert.Empty(await oracle.ViolationsAsync(atRest: false, Token));
        }

        Assert.Equal(0, (await ToRestAsync(archiver, "discard", "--yes")).ExitCode);

        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(
            points.Count,
            await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'discarded'")
        );
        Assert.Equal(
            points.Count,
            await archiver.Database.ScalarAsync<long>(
                "SELECT sum((counts ->> 'archives')::int)::bigint FROM archiver.audit WHERE action = 'discard' AND counts ? 'archives'"
            )
        );
        Assert.Equal(2, (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count);
        Assert.Equal(0, await UnfoundAsync(archiver, "state = 'archived'"));
        Assert.Equal(1, await archiver.LiveSessionsAsync());
    }

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
            // Nothing comes back meanwhile, and no run makes a new copy.
            Assert.NotEqual(0, (await ToRestAsync(archiver, "restore", forgotten[0])).ExitCode);
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

    private static List<string> Of(string scenario)
    {
        var points = ProcessFault.Points.Where(p => p.StartsWith($"{scenario}.", StringComparison.Ordinal)).ToList();
        Assert.True(points.Count > 3);
        return points;
    }

    private static async Task KillAtAsync(Installation archiver, string point, params string[] verb)
    {
        var result = await ToRestAsync(archiver, ProcessFault.At(point), verb);
        Assert.True(
            result.ExitCode == ProcessFault.Killed,
            $"'{string.Join(' ', verb)}' was not killed at {point}, but ended with {result.ExitCode}: {result.Output} {result.Error}"
        );
    }

    private static Task<ProcessResult> ToRestAsync(Installation archiver, params string[] verb) =>
        ToRestAsync(archiver, new Dictionary<string, string?>(), verb);

    // The server notices a moment later that a killed process's lock connection is gone.
    private static async Task<ProcessResult> ToRestAsync(
        Installation archiver,
        IReadOnlyDictionary<string, string?> variables,
        string[] verb
    )
    {
        ProcessResult? result = null;
        await Eventually.TrueAsync(
            async () =>
            {
                result = await RunAsync();
                return result.ExitCode != 3;
            },
            Token
        );
        return result!;

        async Task<ProcessResult> RunAsync()
        {
            // What is not to be killed needs no process of its own.
            if (variables.Count == 0)
                return await archiver.RunAsync(verb);
            await using var process = archiver.Start(variables, verb);
            return await process.WaitForExitAsync(Token);
        }
    }

    /// <summary>Archives in that state whose object is not in the bucket.</summary>
    private static async Task<int> UnfoundAsync(Installation archiver, string state)
    {
        var keys = (await archiver.Bucket.ListKeysAsync("chat_archives/")).ToHashSet(StringComparer.Ordinal);
        var named = await archiver.Database.CopyOutAsync(
            $"SELECT o.key FROM archiver.archives a JOIN archiver.objects o ON o.id = a.object_id WHERE a.{state}"
        );
        return named.Split('\n', StringSplitOptions.RemoveEmptyEntries).Count(k => !keys.Contains(k));
    }
}
