using Archiver.Core.Discard;
using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>An archiver whose archives have become old.</summary>
public abstract class DiscardScenario(TestServers servers)
{
    private protected TestServers Servers { get; } = servers;

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected static ArchiverSettings Configure(ArchiverSettings settings) =>
        settings with
        {
            Discard = new() { After = TimeSpan.FromDays(365), Notice = TimeSpan.FromDays(30) },
        };

    private protected async Task<ArchiverFixture> ArchivedAsync(
        Func<ArchiverSettings, ArchiverSettings>? configure = null,
        bool versioned = false,
        bool objectLock = false,
        int idle = 4
    )
    {
        var archiver = await ArchiverFixture.CreateAsync(
            Servers,
            Token,
            idle: idle,
            young: 1,
            configure: s => Configure(configure?.Invoke(s) ?? s),
            versioned: versioned,
            objectLock: objectLock
        );
        Assert.Equal(idle, (await archiver.RunAsync(Token)).Sessions);
        return archiver;
    }

    private protected static Task<int> AgeAsync(ArchiverFixture archiver, int sessions) =>
        archiver.Database.ExecuteAsync(
            $"""
            UPDATE archiver.archives SET stored_at = now() - interval '400 days'
              WHERE id IN (SELECT id FROM archiver.archives ORDER BY id LIMIT {sessions});
            UPDATE archiver.objects SET created_at = now() - interval '400 days', stored_at = now() - interval '400 days'
            WHERE id IN (SELECT object_id FROM archiver.archives ORDER BY id LIMIT {sessions});
            """
        );

    private protected static Task<int> PassNoticeAsync(ArchiverFixture archiver) =>
        archiver.Database.ExecuteAsync("UPDATE archiver.objects SET discard_announced_at = discard_announced_at - interval '31 days'");

    private protected static async Task<string> AnyAsync(ArchiverFixture archiver) =>
        (await archiver.Database.ScalarAsync<string>("SELECT min(session_id) FROM archiver.archives"))!;

    private protected static Task<long> CountAsync(ArchiverFixture archiver, string table, string condition) =>
        archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM archiver.{table} WHERE {condition}");

    private protected static (long Discarded, long Announced) Archives(DiscardReport report) =>
        (report.Discarded.Archives, report.Announced.Archives);
}
