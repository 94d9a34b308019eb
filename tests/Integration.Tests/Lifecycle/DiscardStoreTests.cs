using Amazon.S3;
using Archiver.Core.Diagnostics;
using Archiver.Integration.Tests.Storage;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>Every version goes, and what the store keeps, hides or does not answer is not called discarded.</summary>
public sealed class DiscardStoreTests(TestServers servers) : DiscardScenario(servers)
{
    [Fact]
    public async Task Removes_every_version_and_delete_marker()
    {
        await using var archiver = await ArchivedAsync(versioned: true);
        await AgeAsync(archiver, 4);
        foreach (var key in await archiver.Bucket.ListKeysAsync("chat_archives/2", Token))
        {
            await archiver.Bucket.PutRawAsync(key, await archiver.Bucket.GetRawAsync(key, Token), Token);
            await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, key, Token);
        }
        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);

        Assert.Equal(4, (await archiver.DiscardAsync(Token)).Discarded.Objects);

        Assert.Empty((await archiver.Bucket.Client.ListVersionsAsync(archiver.Bucket.Name, "chat_archives/2", Token)).Versions ?? []);
    }

    // Neither the version that the ledger names nor the one that is there now.
    [Fact]
    public async Task Keeps_a_key_of_which_an_older_version_is_somebody_elses()
    {
        await using var archiver = await ArchivedAsync(versioned: true);
        await AgeAsync(archiver, 4);
        var key = (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token))[0];
        await archiver.Bucket.PutForeignOverAsync(archiver.Store, key, Token);
        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);

        var report = await archiver.DiscardAsync(Token);

        Assert.Equal((RunOutcome.Partial, 1, 3L), (report.Outcome, report.ExitCode, report.Discarded.Archives));
        Assert.Equal(new(key, "it is not this database's: it is of another ledger"), Assert.Single(report.Failed));
        Assert.Equal(3, (await archiver.Bucket.Client.ListVersionsAsync(archiver.Bucket.Name, key, Token)).Versions.Count);
        Assert.Equal(1, await CountAsync(archiver, "archives", "state = 'archived'"));
    }

    [Fact]
    public async Task Keeps_what_is_of_another_length_than_the_ledger_recorded()
    {
        await using var archiver = await ArchivedAsync();
        await AgeAsync(archiver, 4);
        var keys = await archiver.Bucket.ListKeysAsync("chat_archives/2", Token);
        var moved = await archiver.Bucket.PutLongerOverAsync(archiver.Store, keys[0], keys[1], Token);
        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);

        var report = await archiver.DiscardAsync(Token);

        Assert.Equal((RunOutcome.Partial, 1, 3L), (report.Outcome, report.ExitCode, report.Discarded.Archives));
        Assert.Equal(keys[0], Assert.Single(report.Failed).Key);
        Assert.StartsWith(
            $"it is not what the ledger recorded: it is of {moved.Length} bytes and not of ",
            report.Failed[0].Reason,
            StringComparison.Ordinal
        );
        Assert.Equal(moved, await archiver.Bucket.GetRawAsync(keys[0], Token));
        Assert.Equal(1, await CountAsync(archiver, "archives", "state = 'archived'"));
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
        await using var proxy = new AnswerLosingProxy(Servers.S3.Endpoint);
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
        await using var proxy = new FaultProxy(Servers.S3.Endpoint, (method, _) =>
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
}
