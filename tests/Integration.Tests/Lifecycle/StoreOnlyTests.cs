using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Testing;
using Archiver.Testing.Proof;
using static Archiver.Integration.Tests.Lifecycle.PolicyRuns;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>Delete: Nothing stores, verifies and marks; the rows stay, and a session that changes afterwards is alive again.</summary>
public sealed class StoreOnlyTests(TestServers servers)
{
    private static readonly Policy Store = Archive() with { Delete = DeleteMode.Nothing };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stores_and_marks_what_is_idle_and_changes_nothing_else()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 8, young: 3, preset: "ended-at");
        var db = archiver.Database;
        const string others =
            "SELECT session_id, user_id, session_title, created_at, last_activity, ended_at, metadata FROM chat_sessions ORDER BY 1";
        var (sessions, messages) = (await db.CopyOutAsync(others), await db.CopyOutAsync("SELECT * FROM chat_messages ORDER BY id"));

        var summary = await archiver.RunAsync(Store, Token);

        Assert.Null(summary.Error);
        Assert.Equal((RunOutcome.Done, 8L, 0L, true), (summary.Outcome, summary.Sessions, summary.Rows, summary.RowsStay));
        Assert.Equal(
            (sessions, messages),
            (await db.CopyOutAsync(others), await db.CopyOutAsync("SELECT * FROM chat_messages ORDER BY id"))
        );
        Assert.Equal(
            8,
            await db.ScalarAsync<long>(
                """
                SELECT count(*) FROM chat_sessions s JOIN archiver.archives a ON a.session_id = s.session_id::text AND a.state = 'stored'
                  JOIN archiver.objects o ON o.id = a.object_id AND o.state = 'stored'
                WHERE s.archived AND s.archive_location = o.location || '/' || o.key AND s.last_activity < now() - interval '90 days'
                """
            )
        );
        Assert.Equal(8, await db.ScalarAsync<long>("SELECT count(*) FROM chat_sessions WHERE archived OR archive_location IS NOT NULL"));
        // The mark is no change, and neither is a second run's look at it.
        Assert.Equal(0, (await archiver.RunAsync(Store, Token)).Sessions);
        Assert.Equal(8, await db.ScalarAsync<long>("SELECT count(*) FROM archiver.archives"));
    }

    [Theory]
    [InlineData(StorageLayout.Session, VerifyMode.TrialRestore)]
    [InlineData(StorageLayout.Bundle, VerifyMode.ReadBack)]
    [InlineData(StorageLayout.Bundle, VerifyMode.TrialRestore)]
    public async Task Stores_marks_and_finds_changes_with(StorageLayout layout, VerifyMode verify)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 4, young: 1, configure: s =>
            s with
            {
                Storage = s.Storage with { Layout = layout, Verify = verify },
            }
        );
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        var rows = await archiver.Database.CopyOutAsync("SELECT * FROM chat_messages ORDER BY id");

        var summary = await archiver.RunAsync(Store, Token);

        Assert.Equal((null, 4L, 0L), (summary.Error, summary.Sessions, summary.Rows));
        Assert.Equal(rows, await archiver.Database.CopyOutAsync("SELECT * FROM chat_messages ORDER BY id"));
        Assert.Equal(
            4,
            await archiver.Database.ScalarAsync<long>(
                "SELECT count(*) FROM chat_sessions s JOIN archiver.archives a ON "
                    + "a.session_id = s.session_id::text AND a.state = 'stored' WHERE s.archived"
            )
        );
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        await archiver.ExecuteAsync(
            "UPDATE chat_messages SET content = 'edited' WHERE id = (SELECT min(id) FROM chat_messages WHERE session_id = $1)",
            await archiver.AnyIdleAsync(Token)
        );
        Assert.Equal(1, (await archiver.RunAsync(Store, Token)).Sessions);
        Assert.Equal(
            "1 superseded, 4 stored",
            await archiver.Database.ScalarAsync<string>(
                "SELECT count(*) FILTER (WHERE state = "
                    + "'superseded') || ' superseded, ' || count(*) FILTER (WHERE state = 'stored') || ' stored' FROM archiver.archives"
            )
        );
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    [Theory]
    [InlineData("UPDATE chat_messages SET content = 'edited' WHERE id = (SELECT min(id) FROM chat_messages WHERE session_id = $1)", 1)]
    [InlineData(
        "INSERT INTO chat_messages (session_id, role, content, timestamp) VALUES ($1, 'user', 'late', now() - interval '100 days')",
        1
    )]
    [InlineData("UPDATE chat_sessions SET session_title = 'renamed' WHERE session_id = $1", 1)]
    [InlineData("UPDATE chat_sessions SET last_activity = now() WHERE session_id = $1", 0)]
    public async Task Takes_a_changed_session_as_the_next_generation_and_its_mark_back_until_then(string sql, int again)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 4, young: 1, preset: "ended-at");
        var db = archiver.Database;
        await archiver.RunAsync(Store, Token);
        var session = await archiver.AnyIdleAsync(Token);
        await archiver.ExecuteAsync(sql, session);

        var summary = await archiver.RunAsync(Store, Token);

        Assert.Equal((null, again), (summary.Error, summary.Sessions));
        Assert.Equal(
            again == 1 ? "1 superseded, 2 stored" : "1 superseded",
            await db.ScalarAsync<string>(
                "SELECT string_agg(generation || ' ' || state, ', ' ORDER BY generation) FROM archiver.archives WHERE session_id = "
                    + $"'{session}'"
            )
        );
        Assert.Equal(
            again == 1,
            await db.ScalarAsync<bool>(
                $"SELECT archived AND archive_location LIKE '%{session}~2.json.gz' FROM chat_sessions WHERE session_id = '{session}'"
            )
        );
        Assert.Equal(
            3,
            await db.ScalarAsync<long>($"SELECT count(*) FROM archiver.archives WHERE state = 'stored' AND session_id <> '{session}'")
        );
    }

    // That nobody could look is no sign that they are others. The end of the run waits for the table; who looks has given up before.
    [Fact]
    public async Task Stores_nothing_again_of_rewritten_tables_for_a_lock_that_kept_it_from_looking()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1, configure: s =>
            s with
            {
                Batch = s.Batch with { Rows = 5 },
            }
        );
        Assert.Equal(3, (await archiver.RunAsync(Store, Token)).Sessions);
        await archiver.Database.ExecuteAsync("VACUUM FULL chat_sessions");
        await using var backup = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var transaction = await backup.BeginTransactionAsync(Token);
        Task? release = null;
        archiver.Store = new HookedStore(archiver.Store)
        {
            BeforeOpen = async _ =>
            {
                if (release is null)
                    await archiver.ExecuteAsync("LOCK TABLE archiver.runs IN ACCESS EXCLUSIVE MODE", null, backup);
                release ??= ReleaseAsync();
            },
        };

        var summary = await archiver.RunAsync(Store, Token);

        await release!;
        Assert.Equal((null, 0L), (summary.Error, summary.Sessions));
        Assert.Equal(3, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'stored'"));

        async Task ReleaseAsync()
        {
            await Eventually.TrueAsync(
                () =>
                    archiver.Database.ScalarAsync<bool>(
                        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'archiver.runs'::regclass AND mode = "
                            + "'RowExclusiveLock' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
                    ),
                Token
            );
            await transaction.RollbackAsync(Token);
        }
    }
}
