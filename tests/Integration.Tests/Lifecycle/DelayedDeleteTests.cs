using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Pipelines;
using Archiver.Core.Settings;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Microsoft.Extensions.Logging.Abstractions;
using static Archiver.Integration.Tests.Lifecycle.PolicyRuns;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>
/// DeleteAfter: stored and marked now, verified again and deleted by a later run; what is not as it was stored stays whole.
/// </summary>
public sealed class DelayedDeleteTests(TestServers servers)
{
    private const int Messages = 3;

    private const string Versions = "hashtidextended(ctid, (tableoid::bigint << 32) # xmin::text::bigint)";

    private static readonly Policy Delayed = Archive() with { DeleteAfter = TimeSpan.FromDays(7) };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(StorageLayout.Session)]
    [InlineData(StorageLayout.Bundle)]
    public async Task Deletes_none_some_and_all_of_what_is_due(StorageLayout layout)
    {
        await using var archiver = await StoredAsync(idle: 6, layout);
        var db = archiver.Database;
        Assert.Equal(
            6,
            await db.ScalarAsync<long>(
                "SELECT count(*) FROM chat_sessions s JOIN archiver.archives a ON a.session_id = "
                    + "s.session_id::text AND a.state = 'stored' WHERE s.archived"
            )
        );
        await MakeDueAsync(archiver, "6 days 23 hours", 6);
        var rows = await RowsAsync(archiver);
        var none = await archiver.RunAsync(Delayed, Token);
        Assert.Equal((RunOutcome.Done, 0L, 0L), (none.Outcome, none.Sessions, (await archiver.PlanAsync(Delayed, Token)).Due));
        Assert.Equal(rows, await RowsAsync(archiver));

        await MakeDueAsync(archiver, "7 days 1 minute", 2);
        var kept = await RowsAsync(archiver, "IN (SELECT session_id FROM archiver.archives ORDER BY id OFFSET 2)");
        var dry = await archiver.RunAsync(Delayed with { DryRun = true }, Token);
        Assert.Equal((2, 2, 2), ((await archiver.PlanAsync(Delayed, Token)).Due, dry.Selected, dry.Delayed));
        var some = await archiver.RunAsync(Delayed, Token);

        Assert.Null(some.Error);
        Assert.Equal((RunOutcome.Done, 2L, 2L, 2L * (1 + Messages)), (some.Outcome, some.Sessions, some.Delayed, some.Rows));
        Assert.Equal(kept, await RowsAsync(archiver));
        Assert.Equal("2 archived, 4 stored", await StatesAsync(archiver));
        Assert.Equal(
            2,
            await db.ScalarAsync<long>(
                "SELECT count(*) FROM archiver.archives WHERE state = 'archived' AND archived_at > now() - interval '1 hour'"
            )
        );
        Assert.Equal(
            (2, 8),
            (
                await db.ScalarAsync<long>("SELECT sessions_done FROM archiver.runs ORDER BY started_at DESC LIMIT 1"),
                await db.ScalarAsync<long>("SELECT rows_deleted FROM archiver.runs ORDER BY started_at DESC LIMIT 1")
            )
        );

        await MakeDueAsync(archiver, "8 days", 6);
        var all = await archiver.RunAsync(Delayed, Token);
        Assert.Equal((RunOutcome.Done, 4L), (all.Outcome, all.Delayed));
        Assert.Equal(
            ("6 archived", 0),
            (
                await StatesAsync(archiver),
                await db.ScalarAsync<long>("SELECT count(*) FROM chat_messages WHERE timestamp < now() - interval '90 days'")
            )
        );
    }

    [Fact]
    public async Task Deletes_what_is_due_although_the_tables_were_rewritten_in_between()
    {
        await using var archiver = await StoredAsync(idle: 4, StorageLayout.Session);
        await MakeDueAsync(archiver, "8 days", 4);
        await archiver.Database.ExecuteAsync(
            """
            CREATE TEMP TABLE s AS TABLE chat_sessions; CREATE TEMP TABLE m AS TABLE chat_messages;
            TRUNCATE chat_sessions, chat_messages;
            INSERT INTO chat_sessions SELECT * FROM s ORDER BY session_id DESC; INSERT INTO chat_messages SELECT * FROM m ORDER BY id DESC;
            DROP TABLE s, m;
            """
        );

        var summary = await archiver.RunAsync(Delayed, Token);

        Assert.Equal((null, 4L, 4L), (summary.Error, summary.Sessions, summary.Delayed));
        Assert.Equal("4 archived", await StatesAsync(archiver));
        Assert.Equal(4, (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)).Count);
    }

    [Fact]
    public async Task Keeps_whole_and_stores_again_what_changed_in_between()
    {
        await using var archiver = await StoredAsync(idle: 4);
        await MakeDueAsync(archiver, "8 days", 4);
        var session = await archiver.AnyIdleAsync(Token);
        await archiver.ExecuteAsync(
            "INSERT INTO chat_messages (session_id, role, content, timestamp) VALUES ($1, 'user', 'late', now() - interval '100 days')",
            session
        );

        var summary = await archiver.RunAsync(Delayed, Token);

        Assert.Equal((RunOutcome.Done, 4L, 3L), (summary.Outcome, summary.Sessions, summary.Delayed));
        Assert.Equal(
            "1 superseded, 2 stored",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(generation || ' ' || state, "
                    + $"', ' ORDER BY generation) FROM archiver.archives WHERE session_id = '{session}'"
            )
        );
        Assert.Equal(
            Messages + 1,
            await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_messages WHERE session_id = '{session}'")
        );
        await MakeDueAsync(archiver, "8 days", 5);
        Assert.Equal(1, (await archiver.RunAsync(Delayed, Token)).Delayed);
        Assert.Equal("4 archived, 1 superseded", await StatesAsync(archiver));
    }

    [Fact]
    public async Task Deletes_although_a_trigger_took_the_mark_for_activity()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1, preset: "status-expiry");
        await archiver.Database.ExecuteAsync(
            """
            ALTER TABLE sessions DISABLE TRIGGER USER;
            UPDATE sessions SET status = 'active';
            ALTER TABLE sessions ENABLE TRIGGER USER;
            CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := clock_timestamp(); RETURN NEW; END $$;
            CREATE TRIGGER touch BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION touch();
            """
        );
        await archiver.RunAsync(Delayed, Token);
        Assert.Equal(
            3,
            await archiver.Database.ScalarAsync<long>(
                """SELECT count(*) FROM archiver.archives WHERE mark->'changed' @> '["status", "updated_at"]' AND jsonb_array_length(mark->'changed') = 2"""
            )
        );
        await MakeDueAsync(archiver, "8 days", 3);

        var summary = await archiver.RunAsync(Delayed, Token);

        Assert.Equal(
            (null, 3L, 1L),
            (summary.Error, summary.Delayed, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM sessions"))
        );
    }

    [Theory]
    [InlineData(StorageLayout.Session, true)]
    [InlineData(StorageLayout.Session, false)]
    [InlineData(StorageLayout.Bundle, true)]
    [InlineData(StorageLayout.Bundle, false)]
    public async Task Deletes_nothing_whose_object_was_damaged_or_removed_in_between(StorageLayout layout, bool damaged)
    {
        await using var archiver = await StoredAsync(idle: 3, layout);
        var db = archiver.Database;
        await MakeDueAsync(archiver, "8 days", 3);
        // In a bundle of all sessions the last byte is nobody's but the whole's.
        var key = (await archiver.Bucket.ListKeysAsync("chat_archives/")).First(k => !k.Contains(".archiver", StringComparison.Ordinal));
        var bytes = await archiver.Bucket.GetRawAsync(key, Token);
        bytes[^1] ^= 1;
        if (damaged)
            await archiver.Bucket.PutRawAsync(key, bytes, Token);
        else
            await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, key, Token);
        var lost = layout == StorageLayout.Bundle ? 3 : 1;
        var rows = await RowsAsync(archiver, $"IN (SELECT unnest(members) FROM archiver.objects WHERE key = '{key}')");

        var summary = await archiver.RunAsync(Delayed, Token);

        Assert.Equal((RunOutcome.Partial, 1, 3L - lost, (long)lost), (summary.Outcome, summary.ExitCode, summary.Delayed, summary.Failed));
        Assert.Equal(lost, summary.Reasons[damaged ? DropReason.Corrupt : DropReason.Missing]);
        Assert.Equal(rows, await RowsAsync(archiver));
        Assert.Equal(
            lost,
            await db.ScalarAsync<long>(
                "SELECT count(*) FROM archiver.archives WHERE state = 'superseded' AND reason = "
                    + $"'{(damaged ? DropReason.Corrupt : DropReason.Missing)}'"
            )
        );
        Assert.Equal(
            (lost, 0),
            (
                await db.ScalarAsync<long>("SELECT count(*) FROM archiver.quarantine"),
                await db.ScalarAsync<long>("SELECT count(*) FROM chat_sessions WHERE archived")
            )
        );
        await db.ExecuteAsync("DELETE FROM archiver.quarantine");
        var again = await archiver.RunAsync(Delayed, Token);
        Assert.Equal((RunOutcome.Done, lost, 0), (again.Outcome, again.Sessions, again.Delayed));
        Assert.Equal(lost, await db.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'stored' AND generation = 2"));
    }

    [Fact]
    public async Task Deletes_nothing_whose_document_is_another_than_the_ledger_has()
    {
        await using var archiver = await StoredAsync(idle: 3);
        await MakeDueAsync(archiver, "8 days", 3);
        var session = await archiver.Database.ScalarAsync<string>(
            "UPDATE archiver.archives SET json_sha256 = sha256('another') WHERE id = (SELECT min(id) FROM archiver.archives) RETURNING "
                + "session_id",
            Token
        );

        var summary = await archiver.RunAsync(Delayed, Token);

        Assert.Equal((RunOutcome.Partial, 2L, 1L), (summary.Outcome, summary.Delayed, summary.Failed));
        Assert.Equal(1, summary.Reasons[DropReason.Corrupt]);
        Assert.Equal(
            session,
            await archiver.Database.ScalarAsync<string>($"SELECT session_id::text FROM chat_sessions WHERE session_id = '{session}'", Token)
        );
    }

    [Fact]
    public async Task Keeps_what_a_hold_covers_and_what_changes_while_it_is_verified()
    {
        await using var archiver = await StoredAsync(idle: 4);
        await MakeDueAsync(archiver, "8 days", 4);
        var keys = (await archiver.Database.CopyOutAsync("SELECT session_id FROM archiver.archives ORDER BY id")).Split('\n');
        await archiver.HoldAsync(keys[0]);
        archiver.Store = new HookedStore(archiver.Store)
        {
            BeforeOpen = async key =>
            {
                if (key.Contains(keys[1], StringComparison.Ordinal))
                    await archiver.HoldAsync(keys[1]);
                if (key.Contains(keys[2], StringComparison.Ordinal))
                    await archiver.ExecuteAsync(
                        "INSERT INTO chat_messages (session_id, role, content, timestamp) VALUES ($1, 'user', "
                            + "'late', now() - interval '100 days')",
                        keys[2]
                    );
            },
        };

        var summary = await archiver.RunAsync(Delayed, Token);

        Assert.Equal(
            (RunOutcome.Done, 1L, 1L, 1L),
            (summary.Outcome, summary.Delayed, summary.Reasons[DropReason.Held], summary.Reasons[DropReason.Changed])
        );
        Assert.Equal("1 archived, 3 stored", await StatesAsync(archiver));
        Assert.Equal(
            3 * Messages + 1,
            await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_messages WHERE timestamp < now() - interval '90 days'")
        );
    }

    [Fact]
    public async Task Deletes_what_was_stored_while_the_policy_deleted_nothing_and_not_for_another_policy_of_the_name()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1, Messages);
        Assert.Equal(3, (await archiver.RunAsync(Archive() with { Delete = DeleteMode.Nothing }, Token)).Sessions);
        // As a restore makes room: a policy with a condition of its own, which the source does not have.
        var other = Archive() with { Where = "true" };
        var foreign = await new PolicyRunner(
            archiver.Settings,
            archiver.Catalog,
            archiver.Store,
            TimeProvider.System,
            NullLogger<PolicyRunner>.Instance
        ).RunAsync(new RunRequest(archiver.Source, other), null, Token);
        Assert.Equal((RunOutcome.Done, 0L, "3 stored"), (foreign.Outcome, foreign.Sessions, await StatesAsync(archiver)));

        var summary = await archiver.RunAsync(Archive(), Token);

        Assert.Equal((null, 3L, 3L, false), (summary.Error, summary.Sessions, summary.Delayed, summary.RowsStay));
        Assert.Equal(
            ("3 archived", 1),
            (await StatesAsync(archiver), await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"))
        );
    }

    // The columns that the mark changed are not in the copy: only the version tells that somebody else has changed them since.
    [Fact]
    public async Task Keeps_what_the_application_marked_otherwise_since_the_run_began()
    {
        await using var archiver = await StoredAsync(idle: 2);
        await MakeDueAsync(archiver, "8 days", 2);
        var session = await archiver.AnyIdleAsync(Token);
        var reached = InProcessFault.Once(FaultPoints.DelayedSelected, () =>
            archiver.ExecuteAsync("UPDATE chat_sessions SET archive_location = 'elsewhere' WHERE session_id = $1", session)
        );

        var summary = await archiver.RunAsync(Delayed, Token);

        Assert.True(reached());
        Assert.Equal((1L, 1L), (summary.Delayed, summary.Reasons[DropReason.Changed]));
        Assert.Equal("1 archived, 1 stored, 1 superseded", await StatesAsync(archiver));
        Assert.Equal(
            Messages,
            await archiver.Database.ScalarAsync<long>(
                $"SELECT count(*) FROM chat_sessions JOIN chat_messages USING (session_id) WHERE session_id = '{session}'"
            )
        );
    }

    // As after a failover or a restore, when other rows may bear the names of those that were stored.
    [Theory]
    [InlineData("chat_messages", "messages", "UPDATE chat_messages SET content = 'other' WHERE session_id = $1")]
    [InlineData("chat_sessions", "session", "UPDATE chat_sessions SET session_title = 'other' WHERE session_id = $1")]
    [InlineData("chat_sessions", "session", "UPDATE chat_sessions SET session_title = NULL WHERE session_id = $1")]
    public async Task Never_deletes_by_the_names_of_versions_alone(string table, string name, string sql)
    {
        await using var archiver = await StoredAsync(idle: 2);
        await MakeDueAsync(archiver, "8 days", 2);
        var session = await archiver.AnyIdleAsync(Token);
        await archiver.ExecuteAsync(sql, session);
        await archiver.Database.ExecuteAsync(
            $"""
            UPDATE archiver.archives
              SET fingerprints = jsonb_set(fingerprints, ARRAY['{name}', 'hash'], to_jsonb((SELECT sum({Versions})::text FROM {table}
                WHERE session_id = '{session}')))
            WHERE session_id = '{session}'
            """
        );

        var summary = await archiver.RunAsync(Delayed, Token);

        Assert.Equal((1L, 1L), (summary.Delayed, summary.Reasons[DropReason.Changed]));
        Assert.Equal(
            Messages,
            await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_messages WHERE session_id = '{session}'")
        );
        Assert.Equal(
            "1 superseded, 2 stored",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(generation || ' ' || state, "
                    + $"', ' ORDER BY generation) FROM archiver.archives WHERE session_id = '{session}'"
            )
        );
    }

    /// <summary>Idle sessions that a first run stored.</summary>
    private async Task<ArchiverFixture> StoredAsync(int idle, StorageLayout layout = StorageLayout.Session)
    {
        var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle, young: 0, Messages, configure: s =>
            s with
            {
                Storage = s.Storage with { Layout = layout },
            }
        );
        var summary = await archiver.RunAsync(Delayed, Token);
        Assert.Equal((null, (long)idle, 0L, 0L), (summary.Error, summary.Sessions, summary.Delayed, summary.Rows));
        return archiver;
    }

    private static Task<int> MakeDueAsync(ArchiverFixture archiver, string age, int first) =>
        archiver.Database.ExecuteAsync(
            $"UPDATE archiver.archives SET stored_at = now() - interval '{age}' WHERE id IN (SELECT id FROM archiver.archives ORDER BY id "
                + $"LIMIT {first})"
        );

    private static async Task<string> RowsAsync(ArchiverFixture archiver, string sessions = "IS NOT NULL") =>
        await archiver.Database.CopyOutAsync(
            $"SELECT session_id, session_title, last_activity FROM chat_sessions WHERE session_id::text {sessions} ORDER BY 1"
        ) + await archiver.Database.CopyOutAsync($"SELECT * FROM chat_messages WHERE session_id::text {sessions} ORDER BY id");

    private static async Task<string> StatesAsync(ArchiverFixture archiver) =>
        (
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(n || ' ' || state, ', ' ORDER BY state) FROM (SELECT state, count(*) AS n FROM archiver.archives GROUP "
                    + "BY state) AS s"
            )
        )!;
}
