using Amazon.S3;
using Archiver.Core.Diagnostics;
using Archiver.Core.Erasure;
using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Sources;
using Archiver.Integration.Tests.Restore;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>What cannot be erased is said and stays as it is, and the rest is erased.</summary>
public sealed class EraseRefusalTests(TestServers servers) : ErasureScenario(servers)
{
    // One under the code of a statement that was cancelled because it took too long; one that changes somebody else's session.
    [Theory]
    [InlineData("RAISE EXCEPTION 'late' USING ERRCODE = 'query_canceled'", DropReason.NotDeleted + " (57014)")]
    [InlineData("UPDATE public.chat_sessions SET session_title = 'lost' WHERE user_id = 'somebody'; RETURN OLD", DropReason.SideEffects)]
    public async Task A_session_whose_live_rows_a_trigger_refuses_is_reported_and_the_rest_is_erased(string body, string reason)
    {
        await using var archiver = await ArchivedAsync("session", null);
        await archiver.Database.ExecuteAsync(
            $"""
            CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; END $$;
            CREATE TRIGGER late BEFORE DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION late();
            """,
            Token
        );

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.Equal((null, RunOutcome.Partial, 2L, 0L), (receipt.Error, receipt.Outcome, receipt.Archives, receipt.Rows));
        var left = Assert.Single(receipt.Sessions, s => s.State != ErasedSession.Erased);
        Assert.Equal((ErasedSession.Remaining, $"its live rows: {reason}"), (left.State, Assert.Single(left.Reasons)));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions WHERE session_title = 'lost'"));
        await archiver.Database.ExecuteAsync("DROP TRIGGER late ON chat_messages", Token);
        Assert.True((await archiver.EraseAsync(new() { User = User }, Token)).Complete);
    }

    [Theory]
    [InlineData("session")]
    [InlineData("bundle")]
    public async Task A_held_session_stays_as_it_is_and_can_be_restored(string where)
    {
        await using var archiver = await ArchivedAsync(where, null);
        var held = await archiver.Database.ScalarAsync<string>($"SELECT min(session_id) FROM archiver.archives WHERE user_id = '{User}'");
        await archiver.HoldAsync(new HoldRequest { Session = held, Reason = "case" }, Token);
        var document = await ShowAsync(archiver, held!);

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.Equal((RunOutcome.Partial, 1, false), (receipt.Outcome, receipt.ExitCode, receipt.Complete));
        Assert.Equal((held, "held"), receipt.Sessions.Where(s => s.State != "erased").Select(s => (s.SessionId, s.State)).Single());
        Assert.Equal(1, receipt.Archives);
        Assert.Equal(document, await ShowAsync(archiver, held!));
        Assert.Equal(1, (await archiver.RestoreAsync(RestoreFixture.Session(held!), Token)).Restored);
        await archiver.Database.ExecuteAsync("UPDATE archiver.holds SET removed_at = now()", Token);
        Assert.Equal(0, (await archiver.EraseAsync(new() { User = User }, Token)).ExitCode);
        Assert.DoesNotContain(held!, await EverythingAsync(archiver, null), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("session", "hold")]
    [InlineData("bundle", "hold")]
    [InlineData("session", "governance")]
    [InlineData("session", "compliance")]
    public async Task What_the_bucket_locks_is_reported_and_erased_later(string where, string locked)
    {
        await using var archiver = await ArchivedAsync(where, null, objectLock: true);
        var key = await archiver.Database.ScalarAsync<string>(
            "SELECT o.key FROM archiver.objects o JOIN archiver.archives a ON "
                + $"a.object_id = o.id WHERE a.user_id = '{User}' ORDER BY o.id LIMIT 1"
        );
        await archiver.Bucket.LockAsync(key!, locked, Token);

        for (var attempt = 0; attempt < 2; attempt++)
        {
            var receipt = await archiver.EraseAsync(new() { User = User }, Token);
            Assert.Equal((RunOutcome.Partial, 1, false), (receipt.Outcome, receipt.ExitCode, receipt.Complete));
            Assert.Contains(receipt.Sessions, s =>
                s.State == "remaining" && s.Reasons.Any(r => r.Contains("object lock", StringComparison.Ordinal))
            );
            Assert.Contains(
                key!,
                (await archiver.Bucket.Client.ListVersionsAsync(archiver.Bucket.Name, key, Token)).Versions.Select(v => v.Key)
            );
        }
        // The other sessions of the bundle moved once, not with each attempt.
        Assert.Equal(where == "bundle" ? 2 : 0, (await archiver.Bucket.ListKeysAsync("chat_archives/bundles/", Token)).Count);
        var refused = await archiver.RestoreAsync(RestoreFixture.Everything with { From = null, User = User }, Token);
        Assert.Equal(0, refused.Restored);
        if (locked != "hold")
            return;
        await archiver.Bucket.SetLegalHoldAsync(key!, ObjectLockLegalHoldStatus.Off, Token);
        Assert.Equal(
            (0, true),
            (
                (await archiver.EraseAsync(new() { User = User }, Token)).ExitCode,
                (await archiver.EraseAsync(new() { User = User }, Token)).Complete
            )
        );
        Assert.DoesNotContain(User, await EverythingAsync(archiver, null), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_in_use_is_reported_and_erased_later()
    {
        await using var archiver = await ArchivedAsync("session", null);
        var session = (
            await archiver.Database.ScalarAsync<string>($"SELECT session_id::text FROM chat_sessions WHERE user_id = '{User}'")
        )!;
        await using (var writer = await archiver.Database.DataSource.OpenConnectionAsync(Token))
        await using (var writing = await writer.BeginTransactionAsync(Token))
        {
            await archiver.ExecuteAsync("SELECT FROM chat_messages WHERE session_id = $1 FOR UPDATE", session, writer);
            var receipt = await archiver.EraseAsync(new() { User = User }, Token);
            Assert.Equal((1, 0L, 2L), (receipt.ExitCode, receipt.Rows, receipt.Archives));
            Assert.Equal(
                $"its live rows: {DropReason.Locked}",
                Assert.Single(receipt.Sessions.Single(s => s.SessionId == session).Reasons)
            );
        }

        var later = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.Equal((0, 3L), (later.ExitCode, later.Rows));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_messages WHERE session_id = '{session}'"));
    }

    [Fact]
    public async Task A_store_that_goes_away_half_way_fails_the_erasure_and_the_next_one_ends_it()
    {
        await using var archiver = await ArchivedAsync("bundle", null);
        var store = archiver.Store;
        archiver.Store = new HookedStore(store)
        {
            BeforeDelete = key =>
                key.Contains("/bundles/", StringComparison.Ordinal)
                    ? throw new StorageException(StorageFailure.Transient, "The store is away.")
                    : Task.CompletedTask,
        };

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.Equal((RunOutcome.Failed, 1, false, 0L), (receipt.Outcome, receipt.ExitCode, receipt.Complete, receipt.Objects));
        archiver.Store = store;
        Assert.Equal((0, true), ((receipt = await archiver.EraseAsync(new() { User = User }, Token)).ExitCode, receipt.Complete));
        Assert.DoesNotContain(User, await EverythingAsync(archiver, null), StringComparison.Ordinal);
        Assert.Equal(4, (await archiver.RestoreAsync(RestoreFixture.Everything, Token)).Restored);
    }

    [Fact]
    public async Task Keeps_away_from_a_source_that_is_in_use()
    {
        await using var archiver = await ArchivedAsync("session", null);
        await using var other = await SourceLock.TryTakeAsync(archiver.Connections, TimeProvider.System, Token);

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.Equal((RunOutcome.LockedElsewhere, 3), (receipt.Outcome, receipt.ExitCode));
        Assert.Empty(await archiver.Bucket.ListKeysAsync("chat_archives/.archiver/erased/", Token));
    }
}
