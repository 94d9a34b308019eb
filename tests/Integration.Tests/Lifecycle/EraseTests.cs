using System.IO.Compression;
using System.Text;
using Amazon.S3;
using Archiver.Core.Diagnostics;
using Archiver.Core.Erasure;
using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Reading;
using Archiver.Core.Reconciliation;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Integration.Tests.Restore;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>
/// What is erased is nowhere any more and does not come back; what cannot be erased is said, and nothing else is touched.
/// </summary>
public sealed class EraseTests(TestServers servers)
{
    private const string User = "user-to-forget";

    private static readonly string[] LedgerTables = ["archives", "objects", "quarantine", "runs", "audit", "holds", "erasures"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("session")]
    [InlineData("bundle")]
    [InlineData("folder")]
    public async Task A_user_is_erased_everywhere_and_nobody_else_is_touched(string where)
    {
        using var folder = new TemporaryFolder();
        await using var archiver = await ArchivedAsync(where, folder);
        var forgotten = await SessionsOfUserAsync(archiver);
        await archiver.Database.ExecuteAsync(
            "INSERT INTO archiver.quarantine (source, session_id, reason, attempts, run_id) VALUES "
                + $"('main', '{forgotten[0]}', 'object differs', 1, gen_random_uuid()); UPDATE archiver.runs SET error = 'Object of "
                + $"session {forgotten[0]} is missing'",
            Token
        );
        var others = await OthersAsync(archiver);
        Assert.Contains(forgotten[0], await EverythingAsync(archiver, folder), StringComparison.Ordinal);

        var plan = await archiver.PlanEraseAsync(new() { User = User }, Token);
        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.Equal((null, RunOutcome.Done, true, 0), (receipt.Error, receipt.Outcome, receipt.Complete, receipt.ExitCode));
        Assert.Equal(forgotten, receipt.Sessions.Select(s => s.SessionId));
        // One live session with two messages, two archives; a bundle is written again, objects of one session go as they are.
        Assert.Equal(
            (3L, 2L, where == "bundle" ? 1L : 2L, where == "bundle" ? 1L : 0L, 1L),
            (receipt.Rows, receipt.Archives, receipt.Objects, receipt.Bundles, receipt.Manifests)
        );
        Assert.Equal(
            (plan.Rows, plan.Archives, plan.Objects, plan.Bundles),
            (receipt.Rows, receipt.Archives, receipt.Objects, receipt.Bundles)
        );
        var left = await EverythingAsync(archiver, folder);
        Assert.All(forgotten.Append(User), id => Assert.DoesNotContain(id, left, StringComparison.Ordinal));
        Assert.Equal(others, await OthersAsync(archiver));
        Assert.Equal(
            "3",
            await archiver.Database.ScalarAsync<string>(
                "SELECT sum((counts ->> 'rows')::int)::text FROM archiver.audit WHERE action = 'erase' AND who = 'test'"
            )
        );

        var again = await archiver.EraseAsync(new() { User = User }, Token);
        Assert.Equal((0, 0, true), (again.Sessions.Count, again.ExitCode, again.Complete));
        Assert.Equal([forgotten[0]], (await archiver.EraseAsync(new() { Ids = [forgotten[0]] }, Token)).ErasedBefore);
        Assert.Equal(
            (RunOutcome.Done, 4L),
            (
                (await archiver.RestoreAsync(RestoreFixture.Everything, Token)).Outcome,
                (await archiver.RestoreAsync(RestoreFixture.Everything, Token)).AlreadyThere
            )
        );
        Assert.True(
            (
                await new Reconciler(archiver.Settings, archiver.Catalog, archiver.Store, TimeProvider.System).RunAsync(
                    "main",
                    fix: false,
                    "test",
                    Token
                )
            ).IsClean
        );
        Assert.Equal(0, (await archiver.RunAsync(Token)).ExitCode);
    }

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

    [Fact]
    public async Task Erases_none_and_says_so_and_erases_all()
    {
        await using var archiver = await ArchivedAsync("session", null);
        var before = await EverythingAsync(archiver, null);

        var none = await archiver.EraseAsync(new() { Ids = ["no-such-session"] }, Token);
        Assert.Equal((1, "no-such-session", false), (none.ExitCode, Assert.Single(none.Unknown), none.Complete));
        var nobody = await archiver.EraseAsync(new() { User = "nobody" }, Token);
        Assert.Equal((1, "nobody", false, true), (nobody.ExitCode, Assert.Single(nobody.Unknown), nobody.Complete, nobody.NoMatch));
        Assert.Equal(Lines(before), Lines(await EverythingAsync(archiver, null)));

        var all = (
            await archiver.Database.CopyOutAsync(
                "SELECT session_id FROM archiver.archives UNION SELECT session_id::text FROM chat_sessions"
            )
        )
            .TrimEnd()
            .Split('\n');
        var receipt = await archiver.EraseAsync(new() { Ids = [.. all.Select(a => a.ToUpperInvariant())] }, Token);
        Assert.Equal((8, true, 6L, 6L), (receipt.Sessions.Count, receipt.Complete, receipt.Archives, receipt.Objects));
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>("SELECT (SELECT count(*) FROM chat_sessions) + (SELECT count(*) FROM chat_messages)")
        );
        Assert.Empty(await archiver.Bucket.ListKeysAsync("chat_archives/2", Token));
        Assert.Empty(await archiver.Bucket.ListKeysAsync("chat_archives/.archiver/manifests/", Token));
    }

    // With a pattern an id and a run in SQL this took minutes.
    [Fact]
    public async Task Thousands_of_sessions_and_long_errors_of_runs_take_seconds()
    {
        await using var archiver = await ArchivedAsync("session", null);
        await archiver.Database.ExecuteAsync(
            """
            INSERT INTO archiver.runs (id, source, policy, action, state, worker, error)
            SELECT gen_random_uuid(), 'main', 'idle', 'archive', 'failed', 'w',
              string_agg('session ' || gen_random_uuid() || ' is missing', ', ')
            FROM generate_series(1, 200) AS r, generate_series(1, 500) GROUP BY r;
            UPDATE archiver.runs SET error = error || ', session 00000000-0000-0000-0000-000000000007' WHERE policy = 'idle'
              AND worker = 'w'
            """,
            Token
        );
        await using var connection = await archiver.Connections.OpenAsync(Token);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromSeconds(30));

        await EraseLedger.RestAsync(
            connection,
            "main",
            [.. Enumerable.Range(1, 3000).Select(n => $"00000000-0000-0000-0000-{n:D12}")],
            null,
            null,
            patience.Token
        );

        Assert.Equal(
            200,
            await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.runs WHERE error LIKE '%, session (erased)'")
        );
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
    public async Task Every_generation_version_and_copy_goes()
    {
        await using var archiver = await ArchivedAsync("session", null, versioned: true);
        var session = (
            await archiver.Database.ScalarAsync<string>($"SELECT min(session_id) FROM archiver.archives WHERE user_id = '{User}'")
        )!;
        await archiver.RestoreAsync(RestoreFixture.Session(session), Token);
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = restored_at - interval '1 year'", Token);
        // The second generation; and a copy that a crash left, known to the ledger by its members alone; and one that it does not know at
        // all.
        Assert.Equal(1, (await archiver.RunAsync(Token)).Sessions);
        var first = await archiver.Database.ScalarAsync<string>(
            "SELECT o.key FROM archiver.objects o JOIN archiver.archives a ON "
                + $"a.object_id = o.id WHERE a.session_id = '{session}' AND a.generation = 1"
        );
        var bytes = await archiver.Bucket.GetRawAsync(first!, Token);
        await archiver.Bucket.PutRawAsync(first!, bytes, Token);
        await archiver.Bucket.PutRawAsync("chat_archives/2020/01/left.json.gz", bytes, Token);
        await archiver.Database.ExecuteAsync(
            $"""
            INSERT INTO archiver.objects (location, key, attempt, source, run_id, layout, state, members, length, sha256)
            SELECT location, 'chat_archives/2020/01/left.json.gz', 'x', source, run_id, layout, 'abandoned', ARRAY['{session}'], 1, ''
              FROM archiver.objects LIMIT 1
            """,
            Token
        );
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, first, Token);

        var receipt = await archiver.EraseAsync(new() { Ids = [session] }, Token);

        Assert.Equal((0, 2L, 3L), (receipt.ExitCode, receipt.Archives, receipt.Objects));
        var versions = (await archiver.Bucket.Client.ListVersionsAsync(archiver.Bucket.Name, "chat_archives/2", Token)).Versions;
        Assert.Equal(5, versions.Count);
        Assert.DoesNotContain(versions, v =>
            v.Key.Contains(session, StringComparison.Ordinal) || v.Key.Contains("left", StringComparison.Ordinal)
        );
        Assert.DoesNotContain(session, await EverythingAsync(archiver, null), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Versions_behind_a_delete_marker_that_no_ledger_knows_go_too_and_what_cannot_be_read_is_named()
    {
        await using var archiver = await ArchivedAsync("session", null, versioned: true);
        var session = (
            await archiver.Database.ScalarAsync<string>($"SELECT min(session_id) FROM archiver.archives WHERE user_id = '{User}'")
        )!;
        var key = (
            await archiver.Database.ScalarAsync<string>(
                $"SELECT o.key FROM archiver.objects o JOIN archiver.archives a ON a.object_id = o.id WHERE a.session_id = '{session}'"
            )
        )!;
        var (bytes, metadata) = (
            await archiver.Bucket.GetRawAsync(key, Token),
            (await archiver.Store.HeadAsync(new(key), Token))!.Metadata
        );
        const string hidden = "chat_archives/2020/01/hidden.json.gz",
            damaged = "chat_archives/2020/01/damaged.json.gz";
        await PutAsync(archiver, hidden, bytes, metadata);
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, hidden, Token);
        await PutAsync(archiver, damaged, [1, 2, 3], metadata);

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.Equal((1, false, 3L), (receipt.ExitCode, receipt.Complete, receipt.Objects));
        Assert.All(receipt.Sessions, s => Assert.Equal(ErasedSession.Erased, s.State));
        Assert.StartsWith(
            $"'{damaged}', which the ledger does not know, cannot be read",
            Assert.Single(receipt.Unresolved),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(
            (await archiver.Bucket.Client.ListVersionsAsync(archiver.Bucket.Name, "chat_archives/2", Token)).Versions,
            v => v.Key is hidden || v.Key == key
        );
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, damaged, Token);
        foreach (var version in (await archiver.Bucket.Client.ListVersionsAsync(archiver.Bucket.Name, damaged, Token)).Versions)
            await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, damaged, version.VersionId, Token);
        Assert.True((await archiver.EraseAsync(new() { User = User }, Token)).Complete);
    }

    [Fact]
    public async Task After_a_restore_of_the_database_to_an_earlier_time_nothing_comes_back()
    {
        await using var archiver = await ArchivedAsync("session", null);
        var forgotten = await SessionsOfUserAsync(archiver);
        var archived = (
            await archiver.Database.ScalarAsync<string>($"SELECT min(session_id) FROM archiver.archives WHERE user_id = '{User}'")
        )!;
        var key = (
            await archiver.Database.ScalarAsync<string>(
                $"SELECT o.key FROM archiver.objects o JOIN archiver.archives a ON a.object_id = o.id WHERE a.session_id = '{archived}'"
            )
        )!;
        var (bytes, metadata) = (
            await archiver.Bucket.GetRawAsync(key, Token),
            (await archiver.Store.HeadAsync(new(key), Token))!.Metadata
        );
        await archiver.Database.ExecuteAsync(
            """
            CREATE SCHEMA earlier;
            CREATE TABLE earlier.sessions AS TABLE chat_sessions; CREATE TABLE earlier.messages AS TABLE chat_messages;
            CREATE TABLE earlier.objects AS TABLE archiver.objects; CREATE TABLE earlier.archives AS TABLE archiver.archives;
            """,
            Token
        );
        Assert.Equal(0, (await archiver.EraseAsync(new() { User = User }, Token)).ExitCode);

        // The database as it was, and from a backup of the bucket one object too.
        await archiver.Database.ExecuteAsync(
            $"""
            DELETE FROM archiver.erasures; DELETE FROM archiver.archives; DELETE FROM archiver.objects;
            INSERT INTO archiver.objects OVERRIDING SYSTEM VALUE SELECT * FROM earlier.objects;
            INSERT INTO archiver.archives OVERRIDING SYSTEM VALUE SELECT * FROM earlier.archives;
            INSERT INTO chat_sessions SELECT * FROM earlier.sessions s
              WHERE NOT EXISTS (SELECT FROM chat_sessions c WHERE c.session_id = s.session_id);
            INSERT INTO chat_messages SELECT * FROM earlier.messages m WHERE NOT EXISTS (SELECT FROM chat_messages c WHERE c.id = m.id);
            """,
            Token
        );
        await PutAsync(archiver, key, bytes, metadata);

        var run = await archiver.RunAsync(Token);
        Assert.Equal((RunOutcome.Refused, 3), (run.Outcome, run.ExitCode));
        Assert.Contains("archiver erase --reapply --yes", run.Error, StringComparison.Ordinal);
        var restored = await archiver.RestoreAsync(RestoreFixture.Session(archived), Token);
        Assert.Equal((0L, TombstoneRefusal), (restored.Restored, Assert.Single(restored.Refused).Reason));
        Assert.Contains(
            TombstoneRefusal,
            (await Assert.ThrowsAsync<ArchiverException>(() => ShowAsync(archiver, archived))).Message,
            StringComparison.Ordinal
        );

        var receipt = await archiver.EraseAsync(new() { Reapply = true }, Token);

        Assert.Equal((0, true), (receipt.ExitCode, receipt.Complete));
        Assert.Equal(forgotten, receipt.Sessions.Select(s => s.SessionId));
        await archiver.Database.ExecuteAsync("DROP SCHEMA earlier CASCADE", Token);
        Assert.DoesNotContain(User, await EverythingAsync(archiver, null), StringComparison.Ordinal);
        Assert.Equal(RunOutcome.Done, (await archiver.RunAsync(Token)).Outcome);
    }

    [Fact]
    public async Task A_rebuilt_ledger_has_no_archive_of_what_was_erased()
    {
        await using var archiver = await ArchivedAsync("session", null);
        var archived = (
            await archiver.Database.ScalarAsync<string>($"SELECT min(session_id) FROM archiver.archives WHERE user_id = '{User}'")
        )!;
        var key = (
            await archiver.Database.ScalarAsync<string>(
                $"SELECT o.key FROM archiver.objects o JOIN archiver.archives a ON a.object_id = o.id WHERE a.session_id = '{archived}'"
            )
        )!;
        var (bytes, metadata) = (
            await archiver.Bucket.GetRawAsync(key, Token),
            (await archiver.Store.HeadAsync(new(key), Token))!.Metadata
        );
        await archiver.EraseAsync(new() { User = User }, Token);
        await PutAsync(archiver, key, bytes, metadata);
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE", Token);

        var rebuilt = await new LedgerRebuilder(archiver.Settings, archiver.Catalog, archiver.Store, TimeProvider.System).RebuildAsync(
            "main",
            otherSystems: false,
            "test",
            null,
            Token
        );

        Assert.Equal((4L, 1L), (rebuilt.Archives, rebuilt.Erased));
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM archiver.archives WHERE session_id = '{archived}'")
        );
        Assert.Equal(0, (await archiver.RestoreAsync(RestoreFixture.Session(archived), Token)).Restored);
        // And the copy that is there can still be found and removed.
        var receipt = await archiver.EraseAsync(new() { Reapply = true }, Token);
        Assert.Equal((archived, 1L, 0), (Assert.Single(receipt.Sessions).SessionId, receipt.Objects, receipt.ExitCode));
        Assert.DoesNotContain(archived, await EverythingAsync(archiver, null), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_key_of_the_tombstones_nothing_comes_back()
    {
        await using var archiver = await ArchivedAsync("session", null);
        var other = (
            await archiver.Database.ScalarAsync<string>(
                $"SELECT min(session_id) FROM archiver.archives WHERE user_id IS DISTINCT FROM '{User}'"
            )
        )!;
        await archiver.EraseAsync(new() { User = User }, Token);
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, "chat_archives/.archiver/erased/key.json.gz", Token);

        var restored = await archiver.RestoreAsync(RestoreFixture.Session(other), Token);

        Assert.Equal((RunOutcome.Refused, 0L), (restored.Outcome, restored.Restored));
        Assert.Contains("nobody can tell", restored.Error, StringComparison.Ordinal);
        Assert.Equal(RunOutcome.Refused, (await archiver.EraseAsync(new() { Ids = [other] }, Token)).Outcome);
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
        await using var other = await SourceLock.TryTakeAsync(
            archiver.Connections,
            SourceLockKey.For("main", 0),
            "main",
            TimeProvider.System,
            Token
        );

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.Equal((RunOutcome.LockedElsewhere, 3), (receipt.Outcome, receipt.ExitCode));
        Assert.Empty(await archiver.Bucket.ListKeysAsync("chat_archives/.archiver/erased/", Token));
    }

    private const string TombstoneRefusal = Archiver.Core.Bucket.TombstoneReader.Refusal;

    /// <summary>Six archived sessions and two live ones; two of the one and one of the other are the user's.</summary>
    private async Task<ArchiverFixture> ArchivedAsync(
        string where,
        TemporaryFolder? folder,
        bool versioned = false,
        bool objectLock = false
    )
    {
        var archiver = await ArchiverFixture.CreateAsync(
            servers,
            Token,
            idle: 6,
            young: 2,
            messages: 2,
            versioned: versioned,
            objectLock: objectLock,
            configure: s =>
                s with
                {
                    Storage = where switch
                    {
                        "folder" => new() { Provider = StorageProvider.File, Path = folder!.Path },
                        "bundle" => s.Storage with { Layout = StorageLayout.Bundle },
                        _ => s.Storage,
                    },
                    Sources = [s.Sources[0] with { Keep = ["user_id"] }],
                }
        );
        await archiver.Database.ExecuteAsync(
            $"""
            WITH n AS (SELECT session_id, row_number() OVER (PARTITION BY last_activity < now() - interval '90 days'
              ORDER BY session_id) AS n,
                              last_activity < now() - interval '90 days' AS idle FROM chat_sessions)
            UPDATE chat_sessions AS s SET user_id = CASE WHEN n.n <= CASE WHEN n.idle THEN 2 ELSE 1 END THEN '{User}' ELSE 'somebody' END
            FROM n WHERE n.session_id = s.session_id
            """,
            Token
        );
        Assert.Equal(6, (await archiver.RunAsync(Token)).Sessions);
        return archiver;
    }

    private static async Task<string[]> SessionsOfUserAsync(ArchiverFixture archiver) =>
        (
            await archiver.Database.CopyOutAsync(
                $"SELECT session_id FROM archiver.archives WHERE user_id = '{User}' UNION SELECT session_id::text FROM chat_sessions WHERE "
                    + $"user_id = '{User}' ORDER BY 1"
            )
        )
            .TrimEnd()
            .Split('\n');

    private static async Task<string> OthersAsync(ArchiverFixture archiver)
    {
        var text = await archiver.Database.CopyOutAsync(
            "SELECT s.*, s.xmin, m.*, m.xmin FROM chat_sessions s JOIN chat_messages m USING "
                + $"(session_id) WHERE s.user_id <> '{User}' ORDER BY m.id"
        );
        foreach (
            var session in (
                await archiver.Database.CopyOutAsync($"SELECT session_id FROM archiver.archives WHERE user_id <> '{User}' ORDER BY 1")
            )
                .TrimEnd()
                .Split('\n')
        )
            text += await ShowAsync(archiver, session);
        return text;
    }

    private static async Task<string> ShowAsync(ArchiverFixture archiver, string session)
    {
        using var json = new MemoryStream();
        var archive = await new ArchiveLocator(archiver.Catalog).FindAsync("main", session, null, Token);
        await new ArchiveDownloader(archiver.Store, archiver.Catalog, archiver.Settings).CopyJsonAsync(archive!, json, Token);
        return Encoding.UTF8.GetString(json.ToArray());
    }

    /// <summary>Tables, ledger, keys and every object unpacked, as one text to search.</summary>
    private static async Task<string> EverythingAsync(ArchiverFixture archiver, TemporaryFolder? folder)
    {
        var text = new StringBuilder(
            await archiver.Database.CopyOutAsync("SELECT * FROM chat_sessions ORDER BY 1")
                + await archiver.Database.CopyOutAsync("SELECT * FROM chat_messages ORDER BY id")
        );
        foreach (var table in LedgerTables)
            text.Append(await archiver.Database.CopyOutAsync($"SELECT * FROM archiver.{table} ORDER BY 1, 2"));
        await foreach (var listed in archiver.Store.ListAsync("", Token))
        {
            await using var body = await archiver.Store.OpenAsync(new(listed.Key), Token);
            await using var gzip = new GZipStream(body!, CompressionMode.Decompress);
            using var reader = new StreamReader(gzip, Encoding.UTF8);
            text.AppendLine(listed.Key)
                .AppendLine(listed.Key.Contains("probe", StringComparison.Ordinal) ? "" : await reader.ReadToEndAsync(Token));
        }
        foreach (var file in folder is null ? [] : Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories))
            text.AppendLine(file);
        return text.ToString();
    }

    // Without what every run adds.
    private static IEnumerable<string> Lines(string everything) =>
        everything.Split('\n').Where(l => !l.Contains("\terase\t", StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    private static async Task PutAsync(ArchiverFixture archiver, string key, byte[] bytes, IReadOnlyDictionary<string, string> metadata)
    {
        using var stream = new MemoryStream(bytes, writable: false);
        var request = new Amazon.S3.Model.PutObjectRequest
        {
            BucketName = archiver.Bucket.Name,
            Key = key,
            InputStream = stream,
            UseChunkEncoding = false,
        };
        foreach (var (name, value) in metadata)
            request.Metadata.Add(name, value);
        await archiver.Bucket.Client.PutObjectAsync(request, Token);
    }

    private sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("archiver-test-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
