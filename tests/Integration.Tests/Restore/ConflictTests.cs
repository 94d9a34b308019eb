using Archiver.Core.Diagnostics;
using Archiver.Core.Reading;
using Archiver.Core.Restore;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Restore;

/// <summary>Sessions that are in the database already, triggers that interfere, and what a restored session is to later runs.</summary>
public sealed class ConflictTests(TestServers servers)
{
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

    // The application deleted one of them since, and edited the other, which gives way.
    [Fact]
    public async Task Rows_that_are_restored_a_second_time_have_their_grace_again_and_those_that_were_there_have_what_is_left_of_theirs()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        var ids = (await archiver.Database.CopyOutAsync("SELECT session_id FROM chat_sessions ORDER BY 1")).TrimEnd().Split('\n');
        await archiver.RunAsync(Token);
        await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = now() - interval '60 days'");
        await archiver.ExecuteAsync("DELETE FROM chat_messages WHERE session_id = $1", ids[0]);
        await archiver.ExecuteAsync("DELETE FROM chat_sessions WHERE session_id = $1", ids[0]);
        await archiver.ExecuteAsync("UPDATE chat_messages SET content = 'edited' WHERE session_id = $1", ids[1]);

        var deleted = await archiver.RestoreAsync(RestoreFixture.Session(ids[0]), Token);
        var edited = await archiver.RestoreAsync(RestoreFixture.Session(ids[1]) with { OnConflict = ConflictMode.Replace }, Token);
        var there = await archiver.RestoreAsync(RestoreFixture.Session(ids[2]) with { OnConflict = ConflictMode.Skip }, Token);

        Assert.Equal((1L, 1L, 1L), (deleted.Restored, edited.Restored, there.AlreadyThere));
        Assert.Equal(1, (await archiver.RunAsync(Token)).Sessions);
        Assert.Equal(
            $"{ids[2]}\n",
            await archiver.Database.CopyOutAsync(
                $"SELECT i FROM unnest(ARRAY['{ids[0]}', '{ids[1]}', '{ids[2]}']::uuid[]) AS i WHERE i NOT IN (SELECT session_id FROM "
                    + "chat_sessions)"
            )
        );
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
        var byUser = await archiver.RestoreAsync(RestoreFixture.Everything with { From = null, User = "ann" }, Token);
        var byRun = await archiver.RestoreAsync(RestoreFixture.Everything with { From = null, Run = run }, Token);

        Assert.Equal(
            (1L, "no such session", "the ledger has no archive of it"),
            (byId.Restored, byId.Refused[0].SessionId, byId.Refused[0].Reason)
        );
        Assert.Equal(2, byUser.Restored);
        Assert.Equal((9L, 3L), (byRun.Restored, byRun.AlreadyThere));
    }
}
