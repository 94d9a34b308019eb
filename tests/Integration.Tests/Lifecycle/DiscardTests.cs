using Amazon.S3;
using Archiver.Core.Diagnostics;
using Archiver.Core.Discard;
using Archiver.Core.Holds;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Integration.Tests.Roles;
using Archiver.Integration.Tests.Storage;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>Old archives end after a notice, in every version, and nothing is called discarded that is still there.</summary>
public sealed class DiscardTests(TestServers servers)
{
    private const string Ledger =
        "SELECT o.*, a.* FROM archiver.objects o JOIN archiver.archives a ON a.object_id = o.id WHERE {0} ORDER BY o.id, a.id";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

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

    [Fact]
    public async Task Leaves_held_archives_untouched_in_ledger_and_bucket()
    {
        await using var archiver = await ArchivedAsync();
        await AgeAsync(archiver, 4);
        var session = await AnyAsync(archiver);
        await archiver.HoldAsync(new HoldRequest { Session = session, Reason = "case" }, Token);
        var held = await archiver.Database.CopyOutAsync(Condition($"a.session_id = '{session}'"));

        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);
        await archiver.HoldAsync(new HoldRequest { To = DateTimeOffset.MaxValue, Reason = "everything" }, Token);
        Assert.Equal(
            (0L, 0L, 4L),
            (
                (await archiver.DiscardAsync(Token)).Discarded.Objects,
                (await archiver.DiscardAsync(Token)).Announced.Objects,
                (await archiver.DiscardAsync(Token)).Held.Archives
            )
        );
        await LegalHolds.RemoveAsync(archiver.Connections, archiver.Source, 2, "test", Token);
        var report = await archiver.DiscardAsync(Token);

        Assert.Equal((3L, 1L), (report.Discarded.Archives, report.Held.Archives));
        Assert.Equal(held, await archiver.Database.CopyOutAsync(Condition($"a.session_id = '{session}'")));
        Assert.Contains(session, Assert.Single(await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)), StringComparison.Ordinal);
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

    [Fact]
    public async Task Removes_every_version_and_delete_marker()
    {
        await using var archiver = await ArchivedAsync(versioned: true);
        await AgeAsync(archiver, 4);
        foreach (var key in await archiver.Bucket.ListKeysAsync("chat_archives/2", Token))
        {
            await archiver.Bucket.PutRawAsync(key, [1], Token);
            await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, key, Token);
        }
        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);

        Assert.Equal(4, (await archiver.DiscardAsync(Token)).Discarded.Objects);

        Assert.Empty((await archiver.Bucket.Client.ListVersionsAsync(archiver.Bucket.Name, "chat_archives/2", Token)).Versions ?? []);
    }

    [Theory]
    [InlineData("hold")]
    [InlineData("governance")]
    [InlineData("compliance")]
    public async Task What_the_bucket_locks_is_reported_and_discarded_later(string locked)
    {
        await using var archiver = await ArchivedAsync(objectLock: true);
        await AgeAsync(archiver, 4);
        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);
        var key = (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token))[0];
        await archiver.Bucket.LockAsync(key, locked, Token);

        var report = await archiver.DiscardAsync(Token);

        Assert.Equal((RunOutcome.Partial, 1, 3L), (report.Outcome, report.ExitCode, report.Discarded.Archives));
        Assert.Equal(key, Assert.Single(report.Failed).Key);
        Assert.Contains("object lock", report.Failed[0].Reason, StringComparison.Ordinal);
        Assert.Equal([key], await archiver.Bucket.ListKeysAsync("chat_archives/2", Token));
        Assert.Equal(
            "archived stored",
            await archiver.Database.ScalarAsync<string>(
                "SELECT a.state || ' ' || o.state FROM "
                    + "archiver.objects o JOIN archiver.archives a ON a.object_id = o.id WHERE o.state <> 'discarded'"
            )
        );
        if (locked != "hold")
            return;
        await archiver.Bucket.SetLegalHoldAsync(key, ObjectLockLegalHoldStatus.Off, Token);
        Assert.Equal((RunOutcome.Done, 1L), ((report = await archiver.DiscardAsync(Token)).Outcome, report.Discarded.Archives));
    }

    [Fact]
    public async Task A_removal_whose_answer_was_lost_is_found_out()
    {
        await using var proxy = new AnswerLosingProxy(servers.S3.Endpoint);
        await using var archiver = await ArchivedAsync(s => s with { Storage = s.Storage with { Endpoint = proxy.Endpoint } });
        await AgeAsync(archiver, 4);
        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);
        proxy.LoseAnswersTo("POST", 1);

        var report = await archiver.DiscardAsync(Token);

        Assert.Equal(1, proxy.Lost);
        Assert.Equal((RunOutcome.Done, 4L), (report.Outcome, report.Discarded.Archives));
        Assert.Empty(await archiver.Bucket.ListKeysAsync("chat_archives/2", Token));
    }

    // The store's answer says that the first object is gone, which is not so, and that the others met an error.
    [Fact]
    public async Task What_the_store_removes_only_in_part_is_reported_and_discarded_later()
    {
        var lies = true;
        await using var proxy = new FaultProxy(servers.S3.Endpoint, (method, _) =>
            lies && method == "POST" ? StoreFault.PartlyRemoved : StoreFault.None
        );
        await using var archiver = await ArchivedAsync(s =>
            s with
            {
                Storage = s.Storage with { Endpoint = proxy.Endpoint },
                Retry = s.Retry with { Budget = TimeSpan.FromMilliseconds(1) },
            }
        );
        await AgeAsync(archiver, 4);
        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);

        var report = await archiver.DiscardAsync(Token);

        Assert.Equal((RunOutcome.Partial, 1, 0L, 4), (report.Outcome, report.ExitCode, report.Discarded.Archives, report.Failed.Count));
        Assert.Equal(4, await CountAsync(archiver, "archives", "state = 'archived'"));
        Assert.Equal(4, (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)).Count);
        lies = false;
        Assert.Equal((RunOutcome.Done, 4L), ((report = await archiver.DiscardAsync(Token)).Outcome, report.Discarded.Archives));
        Assert.Empty(await archiver.Bucket.ListKeysAsync("chat_archives/2", Token));
    }

    [Fact]
    public async Task A_store_that_goes_away_half_way_fails_the_discard_and_the_next_one_ends_it()
    {
        await using var archiver = await ArchivedAsync(s => s with { Storage = s.Storage with { UploadConcurrency = 1 } });
        await AgeAsync(archiver, 4);
        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);
        var removed = 0;
        var store = archiver.Store;
        archiver.Store = new HookedStore(store)
        {
            BeforeDelete = _ =>
                ++removed > 2 ? throw new StorageException(StorageFailure.Transient, "The store is away.") : Task.CompletedTask,
        };

        var report = await archiver.DiscardAsync(Token);

        Assert.Equal(
            (RunOutcome.Failed, 1, 2L, "The store is away."),
            (report.Outcome, report.ExitCode, report.Discarded.Archives, report.Error)
        );
        Assert.Equal(2, report.Failed.Count);
        Assert.Equal(2, await CountAsync(archiver, "archives", "state = 'archived'"));
        archiver.Store = store;
        Assert.Equal(2, (await archiver.DiscardAsync(Token)).Discarded.Archives);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_hold_after_an_interrupted_removal_finds_the_truth(bool removed)
    {
        await using var archiver = await ArchivedAsync();
        await AgeAsync(archiver, 4);
        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);
        // As a process leaves it that was killed over its removals; then everything is put on hold.
        await archiver.Database.ExecuteAsync("UPDATE archiver.objects SET removal_began_at = now()", Token);
        foreach (var key in removed ? await archiver.Bucket.ListKeysAsync("chat_archives/2", Token) : [])
            await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, key, Token);
        await archiver.HoldAsync(new HoldRequest { To = DateTimeOffset.MaxValue, Reason = "case" }, Token);

        await archiver.DiscardAsync(Token);

        Assert.Equal(removed ? 4 : 0, await CountAsync(archiver, "archives", "state = 'discarded'"));
        Assert.Equal(0, await CountAsync(archiver, "objects", "state = 'stored' AND removal_began_at IS NOT NULL"));
        Assert.Equal(removed ? 0 : 4, (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)).Count);
    }

    [Fact]
    public async Task A_hold_waits_for_the_removals_in_hand_and_saves_the_rest()
    {
        await using var archiver = await ArchivedAsync();
        await AgeAsync(archiver, 4);
        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);
        Task<IReadOnlyList<long>>? adding = null;
        archiver.Store = new HookedStore(archiver.Store)
        {
            BeforeDelete = async _ =>
            {
                adding ??= archiver.HoldAsync(new HoldRequest { To = DateTimeOffset.MaxValue, Reason = "case" }, Token);
                await Eventually.TrueAsync(
                    async () =>
                        await archiver.Database.ScalarAsync<bool>(
                            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
                        ),
                    Token
                );
            },
        };

        Assert.Equal(4, (await archiver.DiscardAsync(Token)).Discarded.Archives);
        Assert.Single(await adding!);
    }

    [Fact]
    public async Task Holds_that_cannot_be_read_hold_everything()
    {
        await using var role = new TestRole(servers);
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 4, young: 0, configure: s =>
            role.Use(Configure(s))
        );
        await role.GrantAsync(archiver.Database, Token);
        await archiver.RunAsync(Token);
        await AgeAsync(archiver, 4);
        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);
        await archiver.Database.ExecuteAsync($"REVOKE SELECT ON archiver.holds FROM {role.Name}", Token);

        var report = await archiver.DiscardAsync(Token);

        Assert.Equal((RunOutcome.Failed, 0L), (report.Outcome, report.Discarded.Objects));
        Assert.Equal(4, (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)).Count);
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
        await using (await SourceLock.TryTakeAsync(archiver.Connections, SourceLockKey.For("main", 0), "main", TimeProvider.System, Token))
            Assert.Equal(
                (RunOutcome.LockedElsewhere, 3),
                ((await archiver.DiscardAsync(Token)).Outcome, (await archiver.DiscardAsync(Token)).ExitCode)
            );
        await archiver.Database.ExecuteAsync("INSERT INTO archiver.pauses (source, policy, paused_by) VALUES ('main', '', 'x')", Token);

        Assert.Equal(RunOutcome.Paused, (await archiver.DiscardAsync(Token)).Outcome);
        Assert.Equal(4, (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)).Count);
    }

    private static ArchiverSettings Configure(ArchiverSettings settings) =>
        settings with
        {
            Discard = new() { After = TimeSpan.FromDays(365), Notice = TimeSpan.FromDays(30) },
        };

    private async Task<ArchiverFixture> ArchivedAsync(
        Func<ArchiverSettings, ArchiverSettings>? configure = null,
        bool versioned = false,
        bool objectLock = false
    )
    {
        var archiver = await ArchiverFixture.CreateAsync(
            servers,
            Token,
            idle: 4,
            young: 1,
            configure: s => Configure(configure?.Invoke(s) ?? s),
            versioned: versioned,
            objectLock: objectLock
        );
        Assert.Equal(4, (await archiver.RunAsync(Token)).Sessions);
        return archiver;
    }

    private static Task<int> AgeAsync(ArchiverFixture archiver, int sessions) =>
        archiver.Database.ExecuteAsync(
            $"""
            UPDATE archiver.archives SET stored_at = now() - interval '400 days'
              WHERE id IN (SELECT id FROM archiver.archives ORDER BY id LIMIT {sessions});
            UPDATE archiver.objects SET created_at = now() - interval '400 days', stored_at = now() - interval '400 days'
            WHERE id IN (SELECT object_id FROM archiver.archives ORDER BY id LIMIT {sessions});
            """
        );

    private static Task<int> PassNoticeAsync(ArchiverFixture archiver) =>
        archiver.Database.ExecuteAsync("UPDATE archiver.objects SET discard_announced_at = discard_announced_at - interval '31 days'");

    private static async Task<string> AnyAsync(ArchiverFixture archiver) =>
        (await archiver.Database.ScalarAsync<string>("SELECT min(session_id) FROM archiver.archives"))!;

    private static Task<long> CountAsync(ArchiverFixture archiver, string table, string condition) =>
        archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM archiver.{table} WHERE {condition}");

    private static string Condition(string condition) => Ledger.Replace("{0}", condition, StringComparison.Ordinal);

    private static (long Discarded, long Announced) Archives(DiscardReport report) =>
        (report.Discarded.Archives, report.Announced.Archives);
}
