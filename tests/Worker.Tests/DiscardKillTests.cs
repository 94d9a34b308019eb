using Archiver.Testing;
using Archiver.Testing.Proof;
using static Archiver.Worker.Tests.KilledVerb;

namespace Archiver.Worker.Tests;

/// <summary>
/// A discard that is killed by SIGKILL between any two steps: the same command, given again, ends it, and nothing else is touched.
/// </summary>
public sealed class DiscardKillTests(TestServers servers)
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
