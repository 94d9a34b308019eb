using Archiver.Core.Diagnostics;
using Archiver.Core.Discard;
using Archiver.Core.Holds;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>Old archives end after a notice, in every version, and nothing is called discarded that is still there.</summary>
public sealed class DiscardTests(TestServers servers) : DiscardScenario(servers)
{
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(4)]
    public async Task Announces_and_then_destroys_exactly_what_is_old(int old)
    {
        await using var archiver = await ArchivedAsync();
        var keys = await archiver.Bucket.ListKeysAsync("chat_archives/2", Token);
        await AgeAsync(archiver, old);

        Assert.Equal((0L, (long)old), Archives(await archiver.PlanDiscardAsync(Token)));
        Assert.Equal((0L, (long)old), Archives(await archiver.DiscardAsync(Token)));
        Assert.Equal(keys, await archiver.Bucket.ListKeysAsync("chat_archives/2", Token));
        // The notice has begun and not passed.
        var waiting = await archiver.DiscardAsync(Token);
        Assert.Equal((0L, 0L), Archives(waiting));
        Assert.Equal((old, old > 0), (waiting.Waiting.Archives, waiting.NextDue is not null));

        await PassNoticeAsync(archiver);
        var plan = await archiver.PlanDiscardAsync(Token);
        var report = await archiver.DiscardAsync(Token);

        Assert.Equal(plan.Discarded, report.Discarded);
        Assert.Equal((RunOutcome.Done, (long)old, (long)old), (report.Outcome, report.Discarded.Objects, report.Discarded.Archives));
        Assert.Equal(4 - old, (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)).Count);
        Assert.Equal(old, await CountAsync(archiver, "objects", "state = 'discarded'"));
        Assert.Equal(old, await CountAsync(archiver, "archives", "state = 'discarded' AND ended_at IS NOT NULL"));
        Assert.Equal(4 - old, await CountAsync(archiver, "archives", "state = 'archived'"));
        Assert.Equal(
            old,
            await archiver.Database.ScalarAsync<long>(
                "SELECT coalesce(sum((counts ->> 'archives')::int), 0) FROM "
                    + "archiver.audit WHERE action = 'discard' AND run_id IS NOT NULL AND who = 'test'"
            )
        );
        Assert.Equal(
            old,
            await archiver.Database.ScalarAsync<long>("SELECT sum(sessions_done)::bigint FROM archiver.runs WHERE action = 'discard'")
        );
        Assert.Equal((0L, 0L), Archives(await archiver.DiscardAsync(Token)));
    }

    [Theory]
    [InlineData("held")]
    [InlineData("young")]
    [InlineData("unknown")]
    public async Task A_bundle_waits_until_all_its_sessions_may_go(string obstacle)
    {
        await using var archiver = await ArchivedAsync(s => s with { Storage = s.Storage with { Layout = StorageLayout.Bundle } });
        await AgeAsync(archiver, 4);
        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);
        var session = await AnyAsync(archiver);
        if (obstacle == "held")
            await archiver.HoldAsync(new HoldRequest { Session = session, Reason = "case" }, Token);
        else
            await archiver.Database.ExecuteAsync(
                "UPDATE archiver.archives SET "
                    + $"{(obstacle == "young" ? "stored_at = now()" : "state = 'unknown'")} WHERE session_id = '{session}'",
                Token
            );

        Assert.Equal(0, (await archiver.DiscardAsync(Token)).Discarded.Objects);
        Assert.Single(await archiver.Bucket.ListKeysAsync("chat_archives/bundles/", Token));

        await archiver.Database.ExecuteAsync(
            "UPDATE archiver.holds SET removed_at = now(); UPDATE archiver.archives SET stored_at = now() "
                + "- interval '400 days', state = 'archived'",
            Token
        );
        Assert.Equal(new DiscardCount(1, 4, 0), (await archiver.DiscardAsync(Token)).Discarded with { Bytes = 0 });
        Assert.Empty(await archiver.Bucket.ListKeysAsync("chat_archives/bundles/", Token));
    }

    [Theory]
    [InlineData(StorageLayout.Session, 1)]
    [InlineData(StorageLayout.Bundle, 0)]
    public async Task A_copy_stays_while_a_live_row_is_marked_as_stored_in_it(StorageLayout layout, int discarded)
    {
        var store = PolicyRuns.Archive() with { Delete = DeleteMode.Nothing };
        await using var archiver = await ArchiverFixture.CreateAsync(Servers, Token, idle: 2, young: 0, configure: s =>
            Configure(s) with
            {
                Storage = s.Storage with { Layout = layout },
            }
        );
        Assert.Equal(2, (await archiver.RunAsync(store, Token)).Sessions);
        await AgeAsync(archiver, 2);
        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);

        var report = await archiver.DiscardAsync(Token);

        Assert.Equal((0L, 0L, 2L), (report.Discarded.Objects, report.Announced.Objects, report.Stored.Archives));
        Assert.Equal(2L, (await archiver.PlanDiscardAsync(Token)).Stored.Archives);
        // One is used again: its mark is taken back, and its copy ends.
        await archiver.ExecuteAsync(
            "UPDATE chat_sessions SET last_activity = now() WHERE session_id = $1",
            await archiver.AnyIdleAsync(Token)
        );
        await archiver.RunAsync(store, Token);
        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);
        Assert.Equal(discarded, (await archiver.DiscardAsync(Token)).Discarded.Objects);
        Assert.Equal(
            "1 marked, 1 copies",
            await archiver.Database.ScalarAsync<string>(
                """
                SELECT count(*) FILTER (WHERE s.archived OR s.archive_location IS NOT NULL) || ' marked, ' || count(o.id) || ' copies'
                FROM chat_sessions AS s
                LEFT JOIN archiver.objects AS o ON o.state = 'stored' AND s.archive_location = o.location || '/' || o.key
                """
            )
        );
    }

    [Fact]
    public async Task Abandoned_copies_end_as_well()
    {
        await using var archiver = await ArchivedAsync();
        await AgeAsync(archiver, 4);
        await archiver.Database.ExecuteAsync(
            "DELETE FROM archiver.archives; UPDATE archiver.objects SET state = 'abandoned', reason = 'run ended'",
            Token
        );
        // By the id alone nobody can say that no hold by user covers them.
        await archiver.HoldAsync(new HoldRequest { User = "somebody", Reason = "case" }, Token);
        Assert.Equal(4, (await archiver.DiscardAsync(Token)).Held.Objects);
        await archiver.Database.ExecuteAsync("UPDATE archiver.holds SET removed_at = now()", Token);

        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);

        Assert.Equal(4, (await archiver.DiscardAsync(Token)).Discarded.Objects);
        Assert.Empty(await archiver.Bucket.ListKeysAsync("chat_archives/2", Token));
    }

    [Fact]
    public async Task Objects_in_a_folder_end_as_well()
    {
        var folder = Directory.CreateTempSubdirectory("archiver-test-");
        try
        {
            await using var archiver = await ArchivedAsync(s =>
                s with
                {
                    Storage = new() { Provider = StorageProvider.File, Path = folder.FullName },
                }
            );
            await AgeAsync(archiver, 3);
            await archiver.DiscardAsync(Token);
            await PassNoticeAsync(archiver);

            Assert.Equal(3, (await archiver.DiscardAsync(Token)).Discarded.Archives);

            Assert.Equal(
                1,
                folder
                    .GetFiles("*.json.gz", SearchOption.AllDirectories)
                    .Count(f => !f.FullName.Contains(".archiver", StringComparison.Ordinal))
            );
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Keeps_away_from_a_source_that_is_paused_or_in_use()
    {
        await using var archiver = await ArchivedAsync();
        await AgeAsync(archiver, 4);
        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);
        await using (await SourceLock.TryTakeAsync(archiver.Connections, TimeProvider.System, Token))
            Assert.Equal(
                (RunOutcome.LockedElsewhere, 3),
                ((await archiver.DiscardAsync(Token)).Outcome, (await archiver.DiscardAsync(Token)).ExitCode)
            );
        await archiver.Database.ExecuteAsync("INSERT INTO archiver.pauses (source, policy, paused_by) VALUES ('main', '', 'x')", Token);

        Assert.Equal(RunOutcome.Paused, (await archiver.DiscardAsync(Token)).Outcome);
        Assert.Equal(4, (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)).Count);
    }
}
