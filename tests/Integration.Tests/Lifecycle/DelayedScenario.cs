using Archiver.Core.Settings;
using Archiver.Testing;
using static Archiver.Integration.Tests.Lifecycle.PolicyRuns;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>Sessions that were stored and marked, and are due to be deleted.</summary>
public abstract class DelayedScenario(TestServers servers)
{
    private protected TestServers Servers { get; } = servers;

    private protected const int Messages = 3;

    private protected static readonly Policy Delayed = Archive() with { DeleteAfter = TimeSpan.FromDays(7) };

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Idle sessions that a first run stored.</summary>
    private protected async Task<ArchiverFixture> StoredAsync(int idle, StorageLayout layout = StorageLayout.Session)
    {
        var archiver = await ArchiverFixture.CreateAsync(Servers, Token, idle, young: 0, Messages, configure: s =>
            s with
            {
                Storage = s.Storage with { Layout = layout },
            }
        );
        var summary = await archiver.RunAsync(Delayed, Token);
        Assert.Equal((null, (long)idle, 0L, 0L), (summary.Error, summary.Sessions, summary.Delayed, summary.Rows));
        return archiver;
    }

    /// <summary>Active sessions, and a trigger that takes every update for activity.</summary>
    private protected async Task<ArchiverFixture> TouchedAsync()
    {
        var archiver = await ArchiverFixture.CreateAsync(Servers, Token, idle: 3, young: 1, preset: "status-expiry");
        await archiver.Database.ExecuteAsync(
            """
            ALTER TABLE sessions DISABLE TRIGGER USER;
            UPDATE sessions SET status = 'active';
            ALTER TABLE sessions ENABLE TRIGGER USER;
            CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := clock_timestamp(); RETURN NEW; END $$;
            CREATE TRIGGER touch BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION touch();
            """
        );
        return archiver;
    }

    private protected static Task<int> MakeDueAsync(ArchiverFixture archiver, string age, int first) =>
        archiver.Database.ExecuteAsync(
            $"UPDATE archiver.archives SET stored_at = now() - interval '{age}' WHERE id IN (SELECT id FROM archiver.archives ORDER BY id "
                + $"LIMIT {first})"
        );

    private protected static async Task<string> RowsAsync(ArchiverFixture archiver, string sessions = "IS NOT NULL") =>
        await archiver.Database.CopyOutAsync(
            $"SELECT session_id, session_title, last_activity FROM chat_sessions WHERE session_id::text {sessions} ORDER BY 1"
        ) + await archiver.Database.CopyOutAsync($"SELECT * FROM chat_messages WHERE session_id::text {sessions} ORDER BY id");

    private protected static async Task<string> StatesAsync(ArchiverFixture archiver) =>
        (
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(n || ' ' || state, ', ' ORDER BY state) FROM (SELECT state, count(*) AS n FROM archiver.archives GROUP "
                    + "BY state) AS s"
            )
        )!;
}
