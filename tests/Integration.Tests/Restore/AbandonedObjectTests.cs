using Archiver.Core.Ledger;
using Archiver.Core.Reading;
using Archiver.Core.Reconciliation;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Testing;
using static Archiver.Integration.Tests.Restore.ForgottenArchives;

namespace Archiver.Integration.Tests.Restore;

/// <summary>Nothing is removed that is anyone's only copy.</summary>
public sealed class AbandonedObjectTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_test_system_pointed_at_the_production_bucket_removes_and_adopts_nothing(bool clonedWithItsLedger)
    {
        await using var production = await ArchiverFixture.CreateAsync(servers, Token, idle: 6, young: 1, configure: Impatient);
        await production.RunAsync(Token);
        await AbandonAsync(production);
        var objects = await production.Bucket.ListKeysAsync("chat_archives/2");
        await using var test = await TestDatabase.CreateAsync(servers, Token);
        await ApplicationSchema.InstallAsync(test, "ended-at");
        var settings = production.Settings with { Sources = [production.Source with { ConnectionString = test.ConnectionString }] };
        await using var connections = new ConnectionCatalog(settings);
        await using (var connection = await connections["main"].OpenAsync(Token))
            await Migrator.MigrateAsync(connection, Token);
        if (clonedWithItsLedger)
            await CloneLedgerAsync(production.Database, test);

        var report = await new Reconciler(settings, connections, production.Store, TimeProvider.System).RunAsync(
            "main",
            fix: true,
            "test",
            Token
        );
        var rebuilt = await new LedgerRebuilder(settings, connections, production.Store, TimeProvider.System).RebuildAsync(
            "main",
            otherSystems: false,
            "test",
            null,
            Token
        );

        Assert.Empty(report.Removable);
        Assert.Equal(0, rebuilt.Archives);
        Assert.Equal(objects, await production.Bucket.ListKeysAsync("chat_archives/2"));
        if (!clonedWithItsLedger)
            Assert.Equal(objects.Count, report.Foreign.Count);
    }

    [Fact]
    public async Task Reconcile_removes_an_abandoned_object_only_when_its_session_is_live_unchanged_or_in_a_newer_object()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 4, young: 0, configure: Impatient);
        await archiver.RunAsync(Token);
        await AbandonAsync(archiver);
        await RemoveManifestsAsync(archiver);
        var ids = (await archiver.Database.CopyOutAsync("SELECT o.members[1] FROM archiver.objects o ORDER BY 1")).TrimEnd().Split('\n');
        Assert.Equal(4, ids.Length);
        var keys = await archiver.Bucket.ListKeysAsync("chat_archives/2");

        // The first: live with the same rows. The second: live and changed. The third: gone. The fourth: archived again.
        Assert.Equal(
            3,
            (
                await archiver.RestoreAsync(
                    new RestoreOptions
                    {
                        Source = "main",
                        Who = "test",
                        ObjectKeys = [.. KeysOf(keys, ids[0], ids[1], ids[3])],
                    },
                    Token
                )
            ).Restored
        );
        await archiver.ExecuteAsync("UPDATE chat_sessions SET session_title = 'changed' WHERE session_id = $1", ids[1]);
        await archiver.Database.ExecuteAsync($"UPDATE chat_sessions SET last_activity = now() WHERE session_id <> '{ids[3]}'");
        await archiver.Database.ExecuteAsync($"UPDATE chat_messages SET timestamp = now() WHERE session_id = '{ids[1]}'");
        Assert.Equal(1, (await archiver.RunAsync(Token)).Sessions);
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_sessions SET last_activity = a.t FROM (SELECT max(timestamp) AS t FROM "
                + $"chat_messages WHERE session_id = '{ids[0]}') a WHERE session_id = '{ids[0]}'"
        );
        await archiver.RestoreAsync(RestoreFixture.Session(ids[0]), Token);

        var plan = await ReconcileAsync(archiver, fix: false);
        var report = await ReconcileAsync(archiver, fix: true);

        Assert.Equal(plan.Removable, report.Removable);
        Assert.Contains(KeysOf(keys, ids[3]).Single(), report.Removable);
        Assert.Equal(
            [.. KeysOf(keys, ids[1], ids[2]).Order()],
            report.Kept.Select(k => k.Key).Intersect(KeysOf(keys, ids[1], ids[2])).Order()
        );
        var left = await archiver.Bucket.ListKeysAsync("chat_archives/2");
        Assert.Equal(keys.Count + 1 - report.Removable.Count, left.Count);
        Assert.DoesNotContain(left, k => report.Removable.Contains(k));
    }

    // The same ids as production has, and the rows as they were before the run: by the ledger and the tables alone the objects look
    // superfluous.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_physical_copy_of_an_earlier_time_removes_nothing_that_a_manifest_confirms(bool readable)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0, configure: Impatient);
        await archiver.RunAsync(Token);
        var objects = await archiver.Bucket.ListKeysAsync("chat_archives/2");
        await AbandonLiveAsync(archiver);
        if (!readable)
            await archiver.Bucket.PutRawAsync((await archiver.Bucket.ListKeysAsync("chat_archives/.archiver/manifests/"))[0], [1, 2, 3]);

        var report = await ReconcileAsync(archiver, fix: true);

        Assert.Empty(report.Removable);
        Assert.Equal(3, report.Kept.Count);
        Assert.All(report.Kept, k =>
            Assert.Contains(readable ? "a manifest confirms it" : "cannot be read", k.Reason, StringComparison.Ordinal)
        );
        Assert.Equal(objects, await archiver.Bucket.ListKeysAsync("chat_archives/2"));
    }

    [Theory]
    [InlineData("session_id", 2)]
    [InlineData("user_id", 0)]
    public async Task Reconcile_removes_nothing_that_a_hold_covers(string by, int removed)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0, configure: Impatient);
        var id = await archiver.AnyIdleAsync(Token);
        await archiver.RunAsync(Token);
        var objects = await archiver.Bucket.ListKeysAsync("chat_archives/2");
        await AbandonLiveAsync(archiver);
        await RemoveManifestsAsync(archiver);
        await archiver.Database.ExecuteAsync(
            $"INSERT INTO archiver.holds (source, {by}, reason, created_by) VALUES ('main', '{id}', 'court', 'test')"
        );

        var report = await ReconcileAsync(archiver, fix: true);

        Assert.Equal(removed, report.Removable.Count);
        Assert.Equal(3 - removed, report.Kept.Count(k => k.Reason == "a hold covers it, or may"));
        Assert.Equal(3 - removed, (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count);
        Assert.Single(await archiver.Bucket.ListKeysAsync("chat_archives/2"), k => k.Contains(id, StringComparison.Ordinal));
    }

    private static ArchiverSettings Impatient(ArchiverSettings settings) =>
        settings with
        {
            Safety = settings.Safety with { ReconcileAge = TimeSpan.Zero },
        };

    private static IEnumerable<string> KeysOf(IReadOnlyList<string> keys, params string[] ids) =>
        keys.Where(k => ids.Any(id => k.Contains(id, StringComparison.Ordinal)));

    private static async Task CloneLedgerAsync(TestDatabase from, TestDatabase to)
    {
        foreach (var table in new[] { "runs", "objects" })
        {
            var rows = await from.CopyOutAsync($"SELECT * FROM archiver.{table}");
            await using var connection = await to.DataSource.OpenConnectionAsync(Token);
            await using var copy = await connection.BeginTextImportAsync($"COPY archiver.{table} FROM STDIN", Token);
            await copy.WriteAsync(rows);
        }
        await to.ExecuteAsync($"UPDATE archiver.ledger SET id = '{await from.ScalarAsync<Guid>("SELECT id FROM archiver.ledger")}'");
    }
}
