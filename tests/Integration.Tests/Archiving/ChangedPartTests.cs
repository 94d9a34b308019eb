using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Integration.Tests.Lifecycle;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>
/// What other people do to a session between the export of its old messages and their delete: the session lives on meanwhile, and nothing
/// goes that was not exported.
/// </summary>
public sealed class ChangedPartTests(TestServers servers)
{
    private const int Old = 4;

    private static readonly Policy Parts = new()
    {
        Source = "main",
        Name = "old",
        Action = PolicyAction.Archive,
        Scope = PurgeScope.Messages,
        MessagesOlderThan = TimeSpan.FromDays(90),
        KeepLast = 1,
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // Old ones too: which messages go was decided by the export.
    [Theory]
    [InlineData("INSERT INTO chat_messages (session_id, role, content) VALUES ($1, 'user', 'one more')")]
    [InlineData(
        "INSERT INTO chat_messages (session_id, role, content, timestamp) SELECT $1, 'user', 'one more', now() - interval '300 "
            + "days' FROM generate_series(1, 3)"
    )]
    [InlineData("UPDATE chat_sessions SET last_activity = now(), session_title = 'renamed' WHERE session_id = $1")]
    [InlineData("UPDATE chat_messages SET content = 'edited' WHERE id = (SELECT max(id) FROM chat_messages WHERE session_id = $1)")]
    public async Task What_comes_meanwhile_stays_and_the_exported_messages_go(string sql)
    {
        await using var archiver = await CreateAsync();
        var session = await AnyAsync(archiver);
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        archiver.Store = new HookedStore(archiver.Store) { BeforeFirstPut = () => archiver.ExecuteAsync(sql, session) };

        var summary = await archiver.RunAsync(Parts, Token);

        Assert.Equal((RunOutcome.Done, 3L, 3L * (Old - 1), 0L), (summary.Outcome, summary.Sessions, summary.Rows, summary.Skipped));
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(3, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"));
    }

    [Theory]
    [InlineData(
        "UPDATE chat_messages SET content = 'edited' WHERE id = (SELECT min(id) FROM chat_messages WHERE session_id = $1)",
        DropReason.Changed
    )]
    [InlineData("DELETE FROM chat_messages WHERE id = (SELECT min(id) FROM chat_messages WHERE session_id = $1)", DropReason.Changed)]
    [InlineData(
        "WITH d AS (DELETE FROM chat_messages WHERE id = (SELECT min(id) FROM chat_messages WHERE session_id = $1) RETURNING *) "
            + "INSERT INTO chat_messages SELECT * FROM d",
        DropReason.Changed
    )]
    [InlineData(
        "INSERT INTO archiver.holds (source, session_id, reason, created_by) VALUES ('main', $1::text, 'case 7', 'test')",
        DropReason.Held
    )]
    [InlineData("UPDATE chat_sessions SET metadata = '{\"pinned\": true}' WHERE session_id = $1", DropReason.NoLongerEligible)]
    [InlineData("INSERT INTO notes SELECT 2, min(id) FROM chat_messages WHERE session_id = $1", DropReason.Changed)]
    public async Task A_session_of_which_an_exported_message_was_changed_keeps_all_of_them(string sql, string reason)
    {
        await using var archiver = await CreateAsync();
        var session = await AnyAsync(archiver);
        var policy = Parts with { Where = "s.metadata->>'pinned' IS NULL" };
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        archiver.Store = new HookedStore(archiver.Store) { BeforeFirstPut = () => archiver.ExecuteAsync(sql, session) };

        var summary = await archiver.RunAsync(policy, Token);

        Assert.Null(summary.Error);
        Assert.Equal((2L, 2L * (Old - 1), 1L), (summary.Sessions, summary.Rows, summary.Reasons.GetValueOrDefault(reason)));
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>(
                $"SELECT count(*) FROM archiver.archives WHERE session_id = '{session}' AND state = 'archived'"
            )
        );
    }

    [Fact]
    public async Task A_session_that_a_transaction_uses_waits_for_the_next_run()
    {
        await using var archiver = await CreateAsync();
        var session = await AnyAsync(archiver);
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

        var summary = await archiver.RunAsync(Parts, Token);
        await open.CommitAsync(Token);

        Assert.Equal((2L, 1L), (summary.Sessions, summary.Reasons.GetValueOrDefault(DropReason.Locked)));
        // With one more after them, the newest of the old ones may go too.
        var next = await archiver.RunAsync(Parts, Token);
        Assert.Equal((1L, (long)Old), (next.Sessions, next.Rows));
    }

    /// <summary>Three sessions of four messages, all old, that are in use; the newest message of each stays.</summary>
    private async Task<ArchiverFixture> CreateAsync()
    {
        var notes = new ChildTable
        {
            Name = "notes",
            Table = new("public", "notes"),
            Parent = SourceMap.MessagesName,
            ForeignKey = "message_id",
            ParentKey = "id",
            Key = "id",
            Order = ["id"],
        };
        var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0, messages: Old, configure: s =>
            s with
            {
                Sources = [s.Sources[0] with { Map = s.Sources[0].Map with { Children = [.. s.Sources[0].Map.Children, notes] } }],
            }
        );
        await archiver.Database.ExecuteAsync(
            "CREATE TABLE notes (id int PRIMARY KEY, message_id bigint NOT NULL REFERENCES chat_messages "
                + "ON DELETE CASCADE); CREATE INDEX ON notes (message_id)"
        );
        await archiver.Database.ExecuteAsync("UPDATE chat_sessions SET last_activity = now() - interval '1 hour', ended_at = NULL");
        return archiver;
    }

    private static async Task<string> AnyAsync(ArchiverFixture archiver) =>
        (await archiver.Database.ScalarAsync<string>("SELECT min(session_id::text) FROM chat_sessions", Token))!;
}
