using Archiver.Core.Diagnostics;
using Archiver.Core.Reading;
using Archiver.Core.Restore;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Restore;

/// <summary>
/// <c>--on-conflict replace --disable-triggers</c>: what is switched off for the rows that come in is not switched off for the live rows
/// of the other sessions, which go in the same transaction.
/// </summary>
public sealed class ReplaceTriggerTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // Whichever of the two comes first in the batch: it is the other one that is deleted after an insertion.
    [Theory]
    [InlineData("ASC")]
    [InlineData("DESC")]
    public async Task A_session_to_which_a_row_points_keeps_its_live_rows(string order)
    {
        await using var archiver = await WithTwoLiveAsync();
        var (kept, replace) = await ChooseAsync(archiver, order);
        await archiver.Database.ExecuteAsync("CREATE TABLE pins (message_id bigint REFERENCES chat_messages (id))");
        var pin = $"INSERT INTO pins SELECT min(id) FROM chat_messages WHERE session_id = '{kept}'";
        await archiver.Database.ExecuteAsync(pin);
        var rehearsed = await archiver.RestoreAsync(replace with { DryRun = true }, Token);
        await archiver.Database.ExecuteAsync("DELETE FROM pins");
        // Selection sees what points to a session; this comes after it.
        archiver.Store = new HookedStore(archiver.Store) { BeforeFirstPut = () => archiver.Database.ExecuteAsync(pin) };

        var report = await archiver.RestoreAsync(replace, Token);

        await AssertKeptAsync(archiver, kept, rehearsed, report);
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM pins JOIN chat_messages m ON m.id = message_id"));
    }

    [Theory]
    [InlineData("ASC")]
    [InlineData("DESC")]
    public async Task A_session_whose_trigger_refuses_its_delete_keeps_its_live_rows(string order)
    {
        await using var archiver = await WithTwoLiveAsync();
        var (kept, replace) = await ChooseAsync(archiver, order);
        await archiver.Database.ExecuteAsync(
            $"""
            CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF OLD.session_id = '{kept}' THEN RAISE EXCEPTION 'mine'; END IF; RETURN OLD; END $$;
            CREATE TRIGGER guard BEFORE DELETE ON chat_sessions FOR EACH ROW EXECUTE FUNCTION guard();
            """
        );
        var rehearsed = await archiver.RestoreAsync(replace with { DryRun = true }, Token);

        var report = await archiver.RestoreAsync(replace, Token);

        await AssertKeptAsync(archiver, kept, rehearsed, report);
    }

    private async Task<ArchiverFixture> WithTwoLiveAsync()
    {
        var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.RunAsync(Token);
        await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        await archiver.Database.ExecuteAsync("UPDATE chat_messages SET content = 'edited'");
        return archiver;
    }

    private static async Task<(string Kept, RestoreOptions Replace)> ChooseAsync(ArchiverFixture archiver, string order)
    {
        var ids = await archiver.Database.ScalarAsync<string>(
            $"SELECT string_agg(session_id::text, ',' ORDER BY last_activity {order}, session_id {order}) FROM chat_sessions"
        );
        var replace = RestoreFixture.Session(ids!.Split(',')) with { OnConflict = ConflictMode.Replace, DisableTriggers = true };
        return (replace.Ids[0], replace);
    }

    private static async Task AssertKeptAsync(ArchiverFixture archiver, string kept, params RestoreReport[] reports)
    {
        Assert.All(reports, r => Assert.Equal((RunOutcome.Partial, null, 1L), (r.Outcome, r.Error, r.Restored)));
        Assert.All(reports, r => Assert.Equal(kept, Assert.Single(r.Refused).SessionId));
        Assert.Equal(
            kept,
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(DISTINCT session_id::text, ', ') FROM chat_messages WHERE content = 'edited'"
            )
        );
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"));
    }
}
