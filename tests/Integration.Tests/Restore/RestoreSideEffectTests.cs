using Archiver.Core.Diagnostics;
using Archiver.Core.Reading;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Restore;

/// <summary>Restores whose triggers would delete rows that nobody archived (docs/protocol.md rule 12).</summary>
public sealed class RestoreSideEffectTests(TestServers servers)
{
    private const string Precious = "SELECT count(*) FROM chat_messages m JOIN chat_sessions s USING (session_id) WHERE user_id = 'young'";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("TRIGGER tidy BEFORE INSERT ON chat_messages", "DELETE FROM chat_messages WHERE session_id = other")]
    [InlineData("TRIGGER tidy AFTER INSERT ON chat_sessions", "DELETE FROM chat_sessions WHERE session_id = other")]
    [InlineData("TRIGGER tidy AFTER INSERT ON chat_sessions", "TRUNCATE notes")]
    // It would fire at the commit, after everything was compared.
    [InlineData(
        "CONSTRAINT TRIGGER tidy AFTER INSERT ON chat_messages DEFERRABLE INITIALLY DEFERRED",
        "DELETE FROM chat_messages WHERE session_id = other"
    )]
    public async Task A_session_whose_insert_deletes_rows_of_others_is_refused_alone(string trigger, string deletes)
    {
        await using var archiver = await ArchivedAsync();
        var refused = await ArchivedIdAsync(archiver);
        await CreateTriggerAsync(archiver, trigger, refused, deletes);

        var rehearsed = await archiver.RestoreAsync(RestoreFixture.Everything with { DryRun = true }, Token);
        var report = await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        var without = await archiver.RestoreAsync(RestoreFixture.Session(refused) with { DisableTriggers = true }, Token);

        Assert.All([rehearsed, report], r => Assert.Equal((RunOutcome.Partial, null, 2L), (r.Outcome, r.Error, r.Restored)));
        Assert.All([rehearsed, report], r => Assert.Equal(refused, Assert.Single(r.Refused).SessionId));
        Assert.All([rehearsed, report], r => Assert.StartsWith("side effects: ", r.Refused[0].Reason, StringComparison.Ordinal));
        Assert.Contains("'tidy' on public.chat_", report.Refused[0].Reason, StringComparison.Ordinal);
        Assert.Equal((RunOutcome.Done, 1L), (without.Outcome, without.Restored));
        Assert.Equal((4L, 1L), (await archiver.Database.ScalarAsync<long>(Precious), await NotesAsync(archiver)));
    }

    [Fact]
    public async Task A_session_whose_reactivation_deletes_rows_of_others_is_refused_alone()
    {
        await using var archiver = await ArchivedAsync();
        var refused = await ArchivedIdAsync(archiver);
        await CreateTriggerAsync(archiver, "TRIGGER tidy AFTER UPDATE ON chat_sessions", refused, "DELETE FROM notes");

        var report = await archiver.RestoreAsync(RestoreFixture.Everything with { Reactivate = true }, Token);

        Assert.Equal((RunOutcome.Partial, null, 2L), (report.Outcome, report.Error, report.Restored));
        Assert.Equal(refused, Assert.Single(report.Refused).SessionId);
        Assert.StartsWith("side effects: ", report.Refused[0].Reason, StringComparison.Ordinal);
        Assert.Equal(1, await NotesAsync(archiver));
    }

    [Fact]
    public async Task A_session_that_would_be_replaced_keeps_its_live_rows_when_the_insert_deletes_rows_of_others()
    {
        await using var archiver = await ArchivedAsync();
        await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        await archiver.Database.ExecuteAsync("UPDATE chat_messages SET content = 'edited'");
        var refused = await archiver.AnyIdleAsync(Token);
        await CreateTriggerAsync(
            archiver,
            "TRIGGER tidy AFTER INSERT ON chat_messages",
            refused,
            "DELETE FROM chat_messages WHERE session_id = other"
        );
        var ids = await archiver.Database.ScalarAsync<string>("SELECT string_agg(session_id, ',') FROM archiver.archives");
        var replace = RestoreFixture.Session(ids!.Split(',')) with { OnConflict = ConflictMode.Replace };

        var rehearsed = await archiver.RestoreAsync(replace with { DryRun = true }, Token);
        var report = await archiver.RestoreAsync(replace, Token);

        Assert.All([rehearsed, report], r => Assert.Equal((RunOutcome.Partial, null, 2L), (r.Outcome, r.Error, r.Restored)));
        Assert.All([rehearsed, report], r => Assert.Equal(refused, Assert.Single(r.Refused).SessionId));
        Assert.All([rehearsed, report], r => Assert.Contains("side effects: ", r.Refused[0].Reason, StringComparison.Ordinal));
        Assert.Equal(4, await archiver.Database.ScalarAsync<long>(Precious));
        Assert.Equal(
            $"4 {refused}",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(n || ' ' || session_id, ', ') FROM (SELECT session_id, count(*) AS n FROM chat_messages "
                    + "JOIN chat_sessions s USING (session_id) WHERE content = 'edited' AND s.user_id IS DISTINCT FROM 'young' "
                    + "GROUP BY session_id) AS e"
            )
        );
    }

    [Fact]
    public async Task A_trigger_that_updates_other_rows_is_the_applications_own_matter()
    {
        await using var archiver = await ArchivedAsync();
        await CreateTriggerAsync(
            archiver,
            "TRIGGER tidy AFTER INSERT ON chat_messages",
            await ArchivedIdAsync(archiver),
            "UPDATE notes SET note = 'restored'"
        );

        var report = await archiver.RestoreAsync(RestoreFixture.Everything, Token);

        Assert.Equal((RunOutcome.Done, null, 3L), (report.Outcome, report.Error, report.Restored));
        Assert.Equal("restored", await archiver.Database.ScalarAsync<string>("SELECT note FROM notes"));
    }

    [Fact]
    public async Task A_server_that_does_not_count_what_it_deletes_is_restored_to_without_triggers_only()
    {
        await using var archiver = await ArchivedAsync();
        await archiver.Database.ExecuteAsync(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET track_counts = off', current_database()); END $$"
        );

        var refused = await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        var without = await archiver.RestoreAsync(RestoreFixture.Everything with { DisableTriggers = true }, Token);

        Assert.Equal((RunOutcome.Refused, 0L), (refused.Outcome, refused.Restored));
        Assert.StartsWith("track_counts is off", refused.Error, StringComparison.Ordinal);
        Assert.Equal((RunOutcome.Done, null, 3L), (without.Outcome, without.Error, without.Restored));
    }

    private async Task<ArchiverFixture> ArchivedAsync()
    {
        var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1);
        await archiver.Database.ExecuteAsync(
            """
            CREATE TABLE notes (note text);
            INSERT INTO notes VALUES ('precious');
            UPDATE chat_sessions SET user_id = 'young' WHERE last_activity > now() - interval '90 days';
            """
        );
        Assert.Equal(3, (await archiver.RunAsync(Token)).Sessions);
        return archiver;
    }

    private static async Task<string> ArchivedIdAsync(ArchiverFixture archiver) =>
        (await archiver.Database.ScalarAsync<string>("SELECT session_id FROM archiver.archives ORDER BY id LIMIT 1"))!;

    private static Task<long> NotesAsync(ArchiverFixture archiver) =>
        archiver.Database.ScalarAsync<long>("SELECT count(*) FROM notes WHERE note = 'precious'");

    private static Task<int> CreateTriggerAsync(ArchiverFixture archiver, string trigger, string session, string act) =>
        archiver.Database.ExecuteAsync(
            $"""
            CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE other uuid := (SELECT session_id FROM chat_sessions WHERE user_id = 'young');
            BEGIN IF NEW.session_id = '{session}' THEN {act}; END IF; RETURN NEW; END $$;
            CREATE {trigger} FOR EACH ROW EXECUTE FUNCTION tidy();
            """
        );
}
