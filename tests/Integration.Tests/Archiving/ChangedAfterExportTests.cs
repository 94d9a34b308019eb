using System.IO.Compression;
using Archiver.Core.Diagnostics;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Integration.Tests.Lifecycle;
using Archiver.Testing;
using Archiver.Testing.Proof;
using static Archiver.Integration.Tests.Archiving.OneChangedSession;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>
/// What other people do to a session between its export and its delete: it stays whole, the others go (docs/protocol.md rules 2, 9 to 15).
/// </summary>
public sealed class ChangedAfterExportTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("added", "INSERT INTO chat_messages (session_id, role, content) VALUES ($1, 'user', 'one more')")]
    [InlineData(
        "edited",
        "UPDATE chat_messages SET content = 'edited' WHERE id = (SELECT min(id) FROM chat_messages WHERE session_id = $1)"
    )]
    [InlineData("deleted", "DELETE FROM chat_messages WHERE id = (SELECT min(id) FROM chat_messages WHERE session_id = $1)")]
    [InlineData(
        "replaced",
        "WITH d AS (DELETE FROM chat_messages WHERE id = (SELECT min(id) FROM chat_messages WHERE session_id = $1) "
            + "RETURNING *) INSERT INTO chat_messages SELECT * FROM d"
    )]
    [InlineData("touched", "UPDATE chat_sessions SET session_title = session_title WHERE session_id = $1")]
    public async Task Keeps_a_session_whose_message_was_changed_after_export(string what, string sql)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        archiver.Store = new HookedStore(archiver.Store) { BeforeFirstPut = () => archiver.ExecuteAsync(sql, session) };

        var summary = await archiver.RunAsync(Token);

        await AssertOnlyStaysAsync(archiver, session, summary, DropReason.Changed);
        Assert.Equal(
            1,
            await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_messages WHERE content IN ('one more', 'edited')")
                + (what is "added" or "edited" ? 0 : 1)
        );
        // Its next archive takes the next free name and generation.
        archiver.Store = ((HookedStore)archiver.Store).Inner;
        Assert.Equal(what is "added" ? 0 : 1, (await archiver.RunAsync(Token)).Sessions);
        var next = what is "added" ? "2/" : "2/2";
        Assert.Equal(
            next,
            await archiver.Database.ScalarAsync<string>(
                $"""
                SELECT 2 || '/' || coalesce(max(a.generation) FILTER (WHERE a.state = 'archived'
                  AND o.key LIKE '%/{session}~2.json.gz')::text, '')
                FROM archiver.archives a JOIN archiver.objects o ON o.id = a.object_id WHERE a.session_id = '{session}'
                """
            )
        );
    }

    // No row of the session changes: only the policy's own condition looks at the other table.
    [Theory]
    [InlineData(DeleteMode.Session)]
    [InlineData(DeleteMode.Nothing)]
    public async Task Keeps_a_session_that_the_policy_does_not_take_any_more_for_a_row_of_another_table(DeleteMode delete)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        await archiver.ExecuteAsync("CREATE TABLE pins (session_id uuid PRIMARY KEY)", null);
        var reached = InProcessFault.Once(FaultPoints.Verified, () => archiver.ExecuteAsync("INSERT INTO pins VALUES ($1)", session));

        var summary = await archiver.RunAsync(
            PolicyRuns.Archive() with
            {
                Delete = delete,
                Where = "NOT EXISTS (SELECT FROM public.pins AS p WHERE p.session_id = s.session_id)",
            },
            Token
        );

        Assert.True(reached());
        Assert.Equal((Idle - 1L, 1L), (summary.Sessions, summary.Reasons.GetValueOrDefault(DropReason.NoLongerEligible)));
        if (delete == DeleteMode.Session)
            await AssertOnlyStaysAsync(archiver, session, summary, DropReason.NoLongerEligible);
        Assert.Equal(
            "abandoned",
            await archiver.Database.ScalarAsync<string>($"SELECT state FROM archiver.archives WHERE session_id = '{session}'")
        );
    }

    [Fact]
    public async Task Keeps_a_session_whose_message_came_from_a_transaction_open_during_the_export()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        await using var writer = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var open = await writer.BeginTransactionAsync(Token);
        await archiver.ExecuteAsync(
            "INSERT INTO chat_messages (session_id, role, content, timestamp) VALUES ($1, 'user', 'late', now() - interval '200 days')",
            session,
            writer
        );
        archiver.Store = new HookedStore(archiver.Store) { BeforeFirstPut = () => open.CommitAsync(Token) };

        var summary = await archiver.RunAsync(Token);

        await AssertOnlyStaysAsync(archiver, session, summary, DropReason.Changed);
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_messages WHERE content = 'late'"));
    }

    [Fact]
    public async Task Keeps_a_session_that_a_transaction_holds_while_its_delete_comes()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        await using var writer = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var open = await writer.BeginTransactionAsync(Token);
        archiver.Store = new HookedStore(archiver.Store)
        {
            BeforeFirstPut = () =>
                archiver.ExecuteAsync(
                    "INSERT INTO chat_messages (session_id, role, content) VALUES ($1, 'user', 'not yet committed')",
                    session,
                    writer
                ),
        };

        var summary = await archiver.RunAsync(Token);
        await open.CommitAsync(Token);

        await AssertOnlyStaysAsync(archiver, session, summary, DropReason.Locked);
    }

    [Fact]
    public async Task Keeps_a_session_with_a_locked_message_without_waiting_longer_than_the_lock_timeout()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        await using var writer = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var open = await writer.BeginTransactionAsync(Token);
        archiver.Store = new HookedStore(archiver.Store)
        {
            BeforeFirstPut = () => archiver.ExecuteAsync("SELECT FROM chat_messages WHERE session_id = $1 FOR UPDATE", session, writer),
        };

        var summary = await archiver.RunAsync(Token);
        await open.RollbackAsync(Token);

        await AssertOnlyStaysAsync(archiver, session, summary, DropReason.Locked);
    }

    [Fact]
    public async Task Does_not_export_a_session_that_got_a_message_after_selection()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        await using var scope = await archiver.BeginAsync(new(archiver.Source, archiver.Policy), Token);
        var selected = await new BatchSelector(scope.Context).NextAsync(long.MaxValue, Token);
        await archiver.ExecuteAsync("INSERT INTO chat_messages (session_id, role, content) VALUES ($1, 'user', 'just now')", session);

        await using var exported = await new BatchExporter(
            scope.Context,
            CompressionLevel.Fastest,
            new ExportServer(scope.Context, TimeSpan.Zero, TimeProvider.System)
        ).ExportAsync(selected!, Token);

        Assert.Equal(Idle - 1, exported.Sessions.Count);
        Assert.Equal(new DroppedSession(session, DropReason.NoLongerEligible, Failed: false), Assert.Single(exported.Dropped));
    }

    [Fact]
    public async Task Leaves_everything_when_a_column_was_added_after_the_export()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        archiver.Store = new HookedStore(archiver.Store)
        {
            BeforeFirstPut = () => archiver.ExecuteAsync("ALTER TABLE chat_messages ADD COLUMN added text DEFAULT 'not exported'", null),
        };

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((0, Idle), (summary.Sessions, summary.Skipped));
        Assert.Equal(Idle, summary.Reasons[DropReason.TableChanged]);
        Assert.Equal(Idle + 1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"));
    }
}
