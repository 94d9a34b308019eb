using Archiver.Core.Diagnostics;
using Archiver.Core.Reading;
using Archiver.Core.Restore;
using Archiver.Core.Settings;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Restore;

/// <summary>Sessions that are in the database already, triggers that interfere, and what a restored session is to later runs.</summary>
public sealed class ConflictTests(TestServers servers)
{
    private const string OneMore =
        "INSERT INTO chat_messages (session_id, role, content, timestamp) VALUES ($1, 'user', 'said since', now() - interval '200 days')";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ConflictMode.Fail)]
    [InlineData(ConflictMode.Skip)]
    public async Task A_session_that_changed_since_its_restore_is_reported_and_left_alone(ConflictMode mode)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        var id = await archiver.AnyIdleAsync(Token);
        await archiver.RunAsync(Token);
        await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        await archiver.ExecuteAsync("UPDATE chat_messages SET content = 'edited' WHERE session_id = $1", id);
        var rows = await archiver.Database.CopyTablesAsync(archiver);

        var report = await archiver.RestoreAsync(RestoreFixture.Session(id) with { OnConflict = mode }, Token);

        Assert.Equal((RunOutcome.Partial, 0L, 0L), (report.Outcome, report.Restored, report.AlreadyThere));
        Assert.Equal(
            "it is in the database already, with other rows in public.chat_messages; nothing was changed",
            Assert.Single(report.Refused).Reason
        );
        Assert.Equal(rows, await archiver.Database.CopyTablesAsync(archiver));
    }

    [Fact]
    public async Task Replace_archives_the_live_version_first_and_both_stay_restorable()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        var id = await archiver.AnyIdleAsync(Token);
        var first = await archiver.Database.CopyTablesAsync(archiver);
        await archiver.RunAsync(Token);
        await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        await archiver.ExecuteAsync(OneMore, id);
        var second = await archiver.Database.CopyTablesAsync(archiver);

        var back = await archiver.RestoreAsync(RestoreFixture.Session(id) with { OnConflict = ConflictMode.Replace }, Token);
        var rowsThen = await archiver.Database.CopyTablesAsync(archiver);
        var forth = await archiver.RestoreAsync(
            RestoreFixture.Session(id) with
            {
                OnConflict = ConflictMode.Replace,
                Generation = 2,
            },
            Token
        );

        Assert.Equal((RunOutcome.Done, null, 1L), (back.Outcome, back.Error, back.Restored));
        Assert.Equal(first, rowsThen);
        Assert.Equal((RunOutcome.Done, null, 1L), (forth.Outcome, forth.Error, forth.Restored));
        Assert.Equal(second, await archiver.Database.CopyTablesAsync(archiver));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'"));
    }

    [Fact]
    public async Task Replace_puts_the_stored_copy_in_the_place_of_a_session_that_is_alive_again()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0, configure: s =>
            s with
            {
                Sources = [s.Sources[0] with { Policies = [s.Sources[0].Policies[0] with { Delete = DeleteMode.Nothing }] }],
            }
        );
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        var id = await archiver.AnyIdleAsync(Token);
        var messages = await archiver.Database.CopyOutAsync("SELECT * FROM chat_messages ORDER BY id");
        Assert.Equal(3, (await archiver.RunAsync(Token)).Sessions);
        await archiver.ExecuteAsync(OneMore, id);
        var rows = await archiver.Database.CopyTablesAsync(archiver);

        var refused = await archiver.RestoreAsync(RestoreFixture.Session(id), Token);
        Assert.Equal((RunOutcome.Partial, 0L), (refused.Outcome, refused.Restored));
        Assert.Equal(rows, await archiver.Database.CopyTablesAsync(archiver));
        var report = await archiver.RestoreAsync(RestoreFixture.Session(id) with { OnConflict = ConflictMode.Replace }, Token);

        Assert.Equal((RunOutcome.Done, null, 1L), (report.Outcome, report.Error, report.Restored));
        Assert.Equal(messages, await archiver.Database.CopyOutAsync("SELECT * FROM chat_messages ORDER BY id"));
        // What was live is an archive of its own, and the two other sessions are stored and marked as before.
        Assert.Equal(
            "1 restored, 2 superseded",
            await archiver.Database.ScalarAsync<string>(
                $"SELECT string_agg(generation || ' ' || state, ', ' ORDER BY generation) FROM archiver.archives WHERE session_id = '{id}'"
            )
        );
        Assert.Equal(
            2,
            await archiver.Database.ScalarAsync<long>(
                "SELECT count(*) FROM archiver.archives JOIN chat_sessions s ON "
                    + "s.session_id::text = archives.session_id WHERE state = 'stored' AND archived"
            )
        );
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    [Fact]
    public async Task Replace_of_a_shard_leaves_the_stored_copies_of_the_others_to_their_own_runs()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 12, young: 0, configure: s =>
            s with
            {
                Schedule = s.Schedule with { Shards = 2 },
                Sources = [s.Sources[0] with { Policies = [s.Sources[0].Policies[0] with { Delete = DeleteMode.Nothing }] }],
            }
        );
        Assert.Equal(12, (await archiver.RunAsync(Token)).Sessions);
        string[] ids = [await OfShardAsync(1), await OfShardAsync(2)];
        foreach (var id in ids)
            await archiver.ExecuteAsync(OneMore, id);
        var stored = "";
        // The run of the first shard has made room when it stores its live version.
        archiver.Store = new HookedStore(archiver.Store) { BeforeFirstPut = async () => stored = await StatesAsync() };

        var report = await archiver.RestoreAsync(RestoreFixture.Session(ids) with { OnConflict = ConflictMode.Replace }, Token);

        Assert.Equal("superseded, stored", stored);
        Assert.Equal((RunOutcome.Done, null, 2L), (report.Outcome, report.Error, report.Restored));

        async Task<string> OfShardAsync(int number) =>
            (
                await archiver.Database.ScalarAsync<string>(
                    $"SELECT min(session_id::text) FROM chat_sessions WHERE {new Shard(number, 2).Sql("session_id")}"
                )
            )!;

        async Task<string> StatesAsync() =>
            (
                await archiver.Database.ScalarAsync<string>(
                    $"SELECT string_agg(state, ', ' ORDER BY array_position(ARRAY['{ids[0]}', '{ids[1]}'], session_id)) FROM "
                        + $"archiver.archives WHERE session_id IN ('{ids[0]}', '{ids[1]}') AND generation = 1"
                )
            )!;
    }

    // Its name was once that of a policy that anybody may configure.
    [Fact]
    public async Task Replace_touches_nothing_else_of_a_policy_that_is_called_replace()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0, configure: s =>
            s with
            {
                Sources =
                [
                    s.Sources[0] with
                    {
                        Policies = [s.Sources[0].Policies[0] with { Name = "replace", DeleteAfter = TimeSpan.FromDays(1) }],
                    },
                ],
            }
        );
        Assert.Equal(3, (await archiver.RunAsync(Token)).Sessions);
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET stored_at = now() - interval '2 days'");
        var id = await archiver.AnyIdleAsync(Token);
        await archiver.ExecuteAsync("UPDATE chat_messages SET content = 'edited'", null);

        var report = await archiver.RestoreAsync(RestoreFixture.Session(id) with { OnConflict = ConflictMode.Replace }, Token);

        Assert.Equal((RunOutcome.Done, null, 1L), (report.Outcome, report.Error, report.Restored));
        Assert.Equal(
            "2 stored",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(DISTINCT n || ' ' || state, ', ') FROM "
                    + $"(SELECT state, count(*) AS n FROM archiver.archives WHERE session_id <> '{id}' GROUP BY state) s"
            )
        );
        Assert.Equal(3, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"));
        Assert.NotNull(Core.Settings.Names.Limit(Archiver.Core.Pipelines.LiveVersions.Name));
        Assert.Equal(
            "replace, restore, restore/replace",
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(DISTINCT policy, ', ' ORDER BY policy) FROM archiver.runs")
        );
    }

    [Fact]
    public async Task A_restored_session_has_its_grace_and_is_then_archived_as_the_next_generation()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        await archiver.RunAsync(Token);
        await archiver.RestoreAsync(RestoreFixture.Everything, Token);

        Assert.Equal(0, (await archiver.RunAsync(Token)).Sessions);
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = now() - interval '31 days'");
        Assert.Equal(3, (await archiver.RunAsync(Token)).Sessions);

        Assert.Equal(
            "1 restored\n2 archived\n",
            await archiver.Database.CopyOutAsync("SELECT DISTINCT generation || ' ' || state FROM archiver.archives ORDER BY 1")
        );
        Assert.Equal(6, (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count);
    }

    [Fact]
    public async Task A_restore_waits_for_nobody_while_a_run_holds_the_source()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        RestoreReport? report = null;
        archiver.Store = new HookedStore(archiver.Store)
        {
            BeforeFirstPut = async () => report = await archiver.RestoreAsync(RestoreFixture.Everything, Token),
        };

        await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.LockedElsewhere, 3), (report!.Outcome, report.ExitCode));
    }

    [Theory]
    [InlineData(
        "chat_messages",
        "NEW.content := upper(NEW.content); RETURN NEW",
        "trigger 'meddle' on public.chat_messages changed the rows of public.chat_messages (column 'content')"
    )]
    [InlineData(
        "chat_messages",
        "UPDATE chat_sessions SET last_activity = now() WHERE session_id = NEW.session_id; RETURN NEW",
        "trigger 'meddle' on public.chat_messages changed the rows of public.chat_sessions (column 'last_activity')"
    )]
    [InlineData("chat_messages", "RETURN NULL", "trigger 'meddle' on public.chat_messages changed the rows of public.chat_messages")]
    public async Task A_trigger_that_changes_a_restored_row_is_named_and_nothing_is_written(string table, string body, string reason)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        var before = await archiver.Database.CopyTablesAsync(archiver);
        await archiver.RunAsync(Token);
        await archiver.Database.ExecuteAsync(
            $"""
            CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; END $$;
            CREATE TRIGGER meddle BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION meddle();
            """
        );

        var refused = await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        var rowsThen = await archiver.Database.ScalarAsync<long>(
            "SELECT (SELECT count(*) FROM chat_sessions) + (SELECT count(*) FROM chat_messages)"
        );
        var report = await archiver.RestoreAsync(RestoreFixture.Everything with { DisableTriggers = true }, Token);

        Assert.Equal((0L, 3, 0L), (refused.Restored, refused.Refused.Count, rowsThen));
        Assert.All(refused.Refused, r => Assert.StartsWith(reason, r.Reason, StringComparison.Ordinal));
        Assert.Equal((RunOutcome.Done, null, 3L), (report.Outcome, report.Error, report.Restored));
        Assert.Equal(before, await archiver.Database.CopyTablesAsync(archiver));
    }

    [Fact]
    public async Task A_trigger_that_only_looks_on_fires_and_finds_its_tables()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        await archiver.RunAsync(Token);
        await archiver.Database.ExecuteAsync(
            """
            CREATE TABLE seen (id bigint);
            CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (NEW.id); RETURN NEW; END $$;
            CREATE TRIGGER look AFTER INSERT ON chat_messages FOR EACH ROW EXECUTE FUNCTION look();
            """
        );

        var report = await archiver.RestoreAsync(RestoreFixture.Everything, Token);

        Assert.Equal((RunOutcome.Done, 3L), (report.Outcome, report.Restored));
        Assert.Equal(12, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM seen"));
    }

    [Fact]
    public async Task Without_triggers_a_row_that_refers_to_nothing_is_still_refused()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        await archiver.Database.ExecuteAsync(
            """
            CREATE TABLE users (id text PRIMARY KEY);
            UPDATE chat_sessions SET user_id = 'u' || (row_number % 2)
              FROM (SELECT session_id AS s, row_number() OVER (ORDER BY session_id) FROM chat_sessions) r WHERE session_id = r.s;
            INSERT INTO users SELECT DISTINCT user_id FROM chat_sessions;
            ALTER TABLE chat_sessions ADD CONSTRAINT known_user FOREIGN KEY (user_id) REFERENCES users;
            """
        );
        await archiver.RunAsync(Token);
        await archiver.Database.ExecuteAsync("DELETE FROM users WHERE id = 'u0'");

        var report = await archiver.RestoreAsync(RestoreFixture.Everything with { DisableTriggers = true }, Token);

        Assert.Equal((RunOutcome.Partial, 2L), (report.Outcome, report.Restored));
        Assert.Equal(
            "it refers to a row that is not there (constraint 'known_user' of public.chat_sessions)",
            Assert.Single(report.Refused).Reason
        );
    }

    [Theory]
    [InlineData("ended-at", "archived = false")]
    [InlineData("last-accessed", "expires_at IS NULL")]
    [InlineData("status-expiry", "status = 'active' AND expires_at IS NULL")]
    [InlineData("soft-delete", "deleted_at IS NULL")]
    public async Task Reactivated_sessions_count_as_used_now(string preset, string state)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 40, young: 0, preset: preset);
        var map = archiver.Source.Map;
        const string deletedAlone =
            "SELECT count(*) FROM chat_messages m JOIN chat_sessions s ON s.id = m.session_id WHERE m.deleted_at "
            + "IS DISTINCT FROM s.deleted_at AND m.deleted_at IS NOT NULL";
        var alone = preset == "soft-delete" ? await archiver.Database.ScalarAsync<long>(deletedAlone) : 0;
        await archiver.RunAsync(Token);

        var report = await archiver.RestoreAsync(RestoreFixture.Everything with { Reactivate = true }, Token);

        Assert.Equal((RunOutcome.Done, null, 40L), (report.Outcome, report.Error, report.Restored));
        var activity = map.Session.Activity[0];
        Assert.Equal(
            40,
            await archiver.Database.ScalarAsync<long>(
                $"SET TimeZone = 'UTC'; SELECT count(*) FROM {map.Session.Table.Sql} WHERE {state} AND abs(extract(epoch FROM "
                    + $"{activity}::timestamptz - now())) < 300"
            )
        );
        if (preset == "soft-delete")
            Assert.Equal(
                alone,
                await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_messages WHERE deleted_at IS NOT NULL")
            );
    }

    [Fact]
    public async Task A_dry_run_says_what_would_be_and_changes_nothing()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1);
        await archiver.RunAsync(Token);
        var rows = await archiver.Database.CopyTablesAsync(archiver);
        const string ledger = "SELECT id, state FROM archiver.archives UNION ALL SELECT 0, id::text FROM archiver.runs ORDER BY 1, 2";
        var records = await archiver.Database.CopyOutAsync(ledger);

        var report = await archiver.RestoreAsync(RestoreFixture.Everything with { DryRun = true }, Token);

        Assert.Equal((RunOutcome.Done, true, 3L), (report.Outcome, report.DryRun, report.Restored));
        Assert.Equal(rows, await archiver.Database.CopyTablesAsync(archiver));
        Assert.Equal(records, await archiver.Database.CopyOutAsync(ledger));
    }

    [Fact]
    public async Task Into_another_schema_the_rows_come_and_the_ledger_stays_as_it_is()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 5, young: 0);
        var before = await archiver.Database.CopyTablesAsync(archiver);
        await archiver.RunAsync(Token);
        await archiver.Database.ExecuteAsync(
            """
            CREATE SCHEMA copy; CREATE TABLE copy.chat_sessions (LIKE public.chat_sessions INCLUDING ALL); CREATE TABLE copy.chat_messages (LIKE public.chat_messages INCLUDING ALL);
            """
        );

        var report = await archiver.RestoreAsync(RestoreFixture.Everything with { IntoSchema = "copy" }, Token);

        Assert.Equal((RunOutcome.Done, null, 5L), (report.Outcome, report.Error, report.Restored));
        Assert.Equal(before, await archiver.Database.CopyTablesAsync(archiver, "copy"));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM public.chat_sessions"));
        Assert.Equal(5, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'"));
    }

    [Fact]
    public async Task A_user_a_run_and_an_external_id_select_their_sessions_and_an_unknown_id_is_named()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 12, young: 0, preset: "status-expiry");
        await archiver.Database.ExecuteAsync(
            "UPDATE sessions SET user_id = 'ann', updated_at = updated_at - interval '1 second' WHERE "
                + "session_id IN ('conv_1000000001', 'conv_1000000002')"
        );
        var run = (await archiver.RunAsync(Token)).RunId;

        var byId = await archiver.RestoreAsync(RestoreFixture.Session("conv_1000000003", "no such session"), Token);
        var byUser = await archiver.RestoreAsync(new RestoreOptions { Source = "main", User = "ann" }, Token);
        var byRun = await archiver.RestoreAsync(new RestoreOptions { Source = "main", Run = run }, Token);

        Assert.Equal(
            (1L, "no such session", "the ledger has no archive of it"),
            (byId.Restored, byId.Refused[0].SessionId, byId.Refused[0].Reason)
        );
        Assert.Equal(2, byUser.Restored);
        Assert.Equal((9L, 3L), (byRun.Restored, byRun.AlreadyThere));
    }
}
