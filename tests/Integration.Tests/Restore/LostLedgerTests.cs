using System.Collections.Concurrent;
using Archiver.Core.Diagnostics;
using Archiver.Core.Reading;
using Archiver.Core.Settings;
using Archiver.Testing;
using Archiver.Testing.Proof;
using static Archiver.Integration.Tests.Restore.ForgottenArchives;

namespace Archiver.Integration.Tests.Restore;

/// <summary>
/// The ledger is gone, or older than the bucket, or another database's: nothing is lost, and nothing is removed that is anyone's only copy.
/// </summary>
public sealed class LostLedgerTests(TestServers servers)
{
    private const string WithoutIds = """
        SELECT a.session_id, a.external_id, a.generation, a.state, a.user_id, a.session_created_at, a.session_first_activity,
          a.session_last_activity, a.message_count, a.row_count,
               o.key, a.byte_offset, a.byte_length, a.json_length, a.json_sha256, o.length, o.sha256, o.layout, o.state, o.attempt,
                 a.run_id, a.policy, a.exported_at
        FROM archiver.archives a JOIN archiver.objects o ON o.id = a.object_id ORDER BY a.session_id, a.generation
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ended-at", StorageLayout.Session)]
    [InlineData("last-accessed", StorageLayout.Bundle)]
    [InlineData("status-expiry", StorageLayout.Bundle)]
    [InlineData("soft-delete", StorageLayout.Session)]
    public async Task A_rebuilt_ledger_is_the_one_that_was_lost_and_restores_everything(string preset, StorageLayout layout)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 40, young: 3, preset: preset, configure: s =>
            s with
            {
                Storage = s.Storage with { Layout = layout, BundleBytes = 16_000 },
            }
        );
        var rows = await archiver.Database.CopyTablesAsync(archiver);
        await archiver.RunAsync(Token);
        var ledger = await archiver.Database.CopyOutAsync(WithoutIds);
        var id = await archiver.Database.ScalarAsync<Guid>("SELECT id FROM archiver.ledger");
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");

        var rebuilt = await RebuildAsync(archiver);

        Assert.Equal((40L, 0, 0), (rebuilt.Archives, rebuilt.Foreign.Count, rebuilt.Unreadable.Count));
        Assert.Equal(ledger, await archiver.Database.CopyOutAsync(WithoutIds));
        Assert.Equal(id, await archiver.Database.ScalarAsync<Guid>("SELECT id FROM archiver.ledger"));
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE reason LIKE '%no manifest%'")
        );
        Assert.Equal(0, (await RebuildAsync(archiver)).Archives);
        var report = await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        Assert.Equal((RunOutcome.Done, null, 40L), (report.Outcome, report.Error, report.Restored));
        Assert.Equal(rows, await archiver.Database.CopyTablesAsync(archiver));
    }

    // Each object breaks off once, in the middle of its body.
    [Fact]
    public async Task A_rebuild_survives_bodies_that_break_off()
    {
        var broken = new ConcurrentDictionary<string, bool>();
        var breaks = false;
        await using var proxy = new FaultProxy(servers.S3.Endpoint, (method, path) =>
            breaks && method == "GET" && path.Contains("chat_archives/", StringComparison.Ordinal) && broken.TryAdd(path, true)
                ? StoreFault.Truncated
                : StoreFault.None
        );
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 5, young: 0, configure: s =>
            s with
            {
                Storage = s.Storage with { Endpoint = proxy.Endpoint },
            }
        );
        await archiver.RunAsync(Token);
        var ledger = await archiver.Database.CopyOutAsync(WithoutIds);
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");
        breaks = true;

        var rebuilt = await RebuildAsync(archiver);

        Assert.Equal((5L, 0), (rebuilt.Archives, rebuilt.Unreadable.Count));
        Assert.InRange(proxy.Faults, 6, int.MaxValue);
        Assert.Equal(ledger, await archiver.Database.CopyOutAsync(WithoutIds));
    }

    [Fact]
    public async Task What_no_manifest_confirms_and_what_is_live_stays_unknown_until_reconcile_settles_it()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 4, young: 0);
        await archiver.RunAsync(Token);
        var live = await archiver.Database.ScalarAsync<string>("SELECT min(session_id) FROM archiver.archives");
        await archiver.RestoreAsync(RestoreFixture.Session(live!), Token);
        await RemoveManifestsAsync(archiver);
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");

        await RebuildAsync(archiver);

        const string states = "SELECT state, count(*), min(reason) FROM archiver.archives GROUP BY state ORDER BY state";
        Assert.Equal(
            "archived\t3\trebuilt from the bucket; no manifest confirms it\nunknown\t1\trebuilt from the bucket; no manifest confirms it\n",
            await archiver.Database.CopyOutAsync(states)
        );
        await ReconcileAsync(archiver, fix: true);
        Assert.Equal(
            1,
            await archiver.Database.ScalarAsync<long>(
                $"SELECT count(*) FROM archiver.archives WHERE state = 'restored' AND session_id = '{live}'"
            )
        );
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_database_that_never_had_a_ledger_is_restored_to_from_the_key_or_the_id_alone(bool byKey)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        var rows = await archiver.Database.CopyTablesAsync(archiver);
        await archiver.RunAsync(Token);
        var keys = await archiver.Bucket.ListKeysAsync("chat_archives/2");
        var ids = (await archiver.Database.CopyOutAsync("SELECT session_id FROM archiver.archives")).TrimEnd().Split('\n');
        await using var other = await TestDatabase.CreateAsync(servers, Token);
        await ApplicationSchema.InstallAsync(other, "ended-at");
        var settings = archiver.Settings with { Sources = [archiver.Source with { ConnectionString = other.ConnectionString }] };

        var options = byKey
            ? new RestoreOptions
            {
                Source = "main",
                Who = "test",
                ObjectKeys = keys,
            }
            : RestoreFixture.Session(ids);
        var report = await archiver.RestoreAsync(options, Token, settings: settings);

        Assert.Equal((RunOutcome.Done, null, 3L), (report.Outcome, report.Error, report.Restored));
        Assert.Equal(rows, await other.CopyTablesAsync(archiver));
    }

    [Fact]
    public async Task A_database_restored_to_an_earlier_time_adopts_what_it_forgot_and_loses_nothing()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 6, young: 1);
        await archiver.RunAsync(Token);
        var objects = await archiver.Bucket.ListKeysAsync("chat_archives/2");
        // Earlier: before the run, when three of the sessions were live and the run was unknown; the other three were added later still.
        await archiver.RestoreAsync(
            RestoreFixture.Session([
                .. (await archiver.Database.CopyOutAsync("SELECT session_id FROM archiver.archives ORDER BY 1 LIMIT 3"))
                    .TrimEnd()
                    .Split('\n'),
            ]),
            Token
        );
        await archiver.Database.ExecuteAsync("DELETE FROM archiver.archives; DELETE FROM archiver.objects; DELETE FROM archiver.runs");

        var seen = await ReconcileAsync(archiver, fix: false);
        var fixedReport = await ReconcileAsync(archiver, fix: true);

        Assert.Equal((6, 0, 0), (seen.Unrecorded.Count, seen.Foreign.Count, seen.Removable.Count));
        Assert.Equal((6, 0), (fixedReport.Unrecorded.Count, fixedReport.Removable.Count));
        Assert.Equal(objects, await archiver.Bucket.ListKeysAsync("chat_archives/2"));
        Assert.Equal(
            "archived\t3\nrestored\t3\n",
            await archiver.Database.CopyOutAsync("SELECT state, count(*) FROM archiver.archives GROUP BY state ORDER BY 1")
        );
        Assert.True((await ReconcileAsync(archiver, fix: false)).IsClean);
        Assert.Equal(3, (await archiver.RestoreAsync(RestoreFixture.Everything, Token)).Restored);
    }

    [Fact]
    public async Task Reconcile_names_a_lost_object_a_session_in_both_places_and_an_orphan()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        var id = await archiver.AnyIdleAsync(Token);
        await archiver.RunAsync(Token);
        var keys = await archiver.Bucket.ListKeysAsync("chat_archives/2");
        var lost = keys.First(k => !k.Contains(id, StringComparison.Ordinal));
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, lost, Token);
        await archiver.ExecuteAsync("INSERT INTO chat_sessions (session_id) VALUES ($1)", id);
        await archiver.Database.ExecuteAsync(
            "ALTER TABLE chat_messages DROP CONSTRAINT chat_messages_session_id_fkey; INSERT INTO "
                + "chat_messages (session_id, role, content) VALUES (gen_random_uuid(), 'user', 'late')"
        );

        var report = await ReconcileAsync(archiver, fix: false);

        Assert.Equal([lost], report.Missing);
        Assert.Equal([id], report.LiveAndArchived);
        Assert.Equal(1, report.Orphans["messages"]);
        Assert.False(report.IsClean);
    }
}
