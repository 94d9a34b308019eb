using Archiver.Core.Diagnostics;
using Archiver.Core.Erasure;
using Archiver.Core.Ledger;
using Archiver.Integration.Tests.Restore;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>
/// An application gives a session to another user between its selection and its export, as when an account takes over a guest's.
/// </summary>
public sealed class ChangedOwnerTests(TestServers servers) : ErasureScenario(servers)
{
    private const string Former = "guest",
        Anothers = "it is another user's now: erase it by id if that is meant";

    [Fact]
    public async Task The_ledger_names_the_owner_that_the_document_names()
    {
        await using var archiver = await GuestsAsync();
        var session = await archiver.AnyIdleAsync(Token);
        var reached = InProcessFault.Once(FaultPoints.Selected, () =>
            archiver.ExecuteAsync(
                $"UPDATE chat_sessions SET user_id = '{User}', created_at = created_at - interval '1 hour' WHERE session_id = $1",
                session
            )
        );

        Assert.Equal(3, (await archiver.RunAsync(Token)).Sessions);

        Assert.True(reached());
        using var document = System.Text.Json.JsonDocument.Parse(await ShowAsync(archiver, session));
        var row = document.RootElement.GetProperty("session");
        Assert.Equal(User, row.GetProperty("user_id").GetString());
        Assert.Equal(
            $"{User} {User} t",
            await archiver.Database.ScalarAsync<string>(
                "SELECT concat_ws(' ', user_id, keep ->> 'user_id', session_created_at = "
                    + $"'{row.GetProperty("created_at").GetString()}') FROM archiver.archives WHERE session_id = '{session}'"
            )
        );
        var former = await archiver.EraseAsync(new() { User = Former }, Token);
        Assert.Equal((true, 3), (former.Complete, former.Sessions.Count));
        Assert.Contains(User, await ShowAsync(archiver, session), StringComparison.Ordinal);
        var receipt = await archiver.EraseAsync(new() { User = User }, Token);
        Assert.Equal((true, session), (receipt.Complete, Assert.Single(receipt.Sessions).SessionId));
        Assert.DoesNotContain(session, await EverythingAsync(archiver, null), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_that_an_erased_user_gets_stays()
    {
        await using var archiver = await GuestsAsync();
        await archiver.ExecuteAsync(
            $"UPDATE chat_sessions SET user_id = '{User}' WHERE session_id = $1",
            await archiver.AnyIdleAsync(Token)
        );
        Assert.True((await archiver.EraseAsync(new() { User = User }, Token)).Complete);
        var session = await archiver.AnyIdleAsync(Token);
        var reached = InProcessFault.Once(FaultPoints.Selected, () =>
            archiver.ExecuteAsync($"UPDATE chat_sessions SET user_id = '{User}' WHERE session_id = $1", session)
        );

        var summary = await archiver.RunAsync(Token);

        Assert.True(reached());
        Assert.Equal((RunOutcome.Partial, 1L, 1L), (summary.Outcome, summary.Sessions, summary.Reasons[DropReason.Erased]));
        Assert.Equal(
            session,
            await archiver.Database.ScalarAsync<string>($"SELECT session_id::text FROM chat_sessions WHERE user_id = '{User}'")
        );
    }

    [Fact]
    public async Task A_session_that_another_user_has_now_stays_with_its_archives_and_is_named()
    {
        await using var archiver = await GuestsAsync();
        Assert.Equal(3, (await archiver.RunAsync(Token)).Sessions);
        var session = await RestoredAsync(archiver);
        await archiver.ExecuteAsync($"UPDATE chat_sessions SET user_id = '{User}' WHERE session_id = $1", session);
        var rows = await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_messages");

        var receipt = await archiver.EraseAsync(new() { User = Former }, Token);

        Assert.Equal((1, false, 4), (receipt.ExitCode, receipt.Complete, receipt.Sessions.Count));
        var kept = Assert.Single(receipt.Sessions, s => s.State != ErasedSession.Erased);
        Assert.Equal((session, Anothers), (kept.SessionId, Assert.Single(kept.Reasons)));
        Assert.Equal((1L, "restored"), (await LiveAsync(archiver, session), await StatesAsync(archiver, session)));
        Assert.InRange(await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_messages"), 1, rows);

        // Archived again as the other's, it is so by its newest archive.
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = restored_at - interval '1 year'", Token);
        Assert.Equal((RunOutcome.Done, 1L), await archiver.RunAsync(Token) is var run ? (run.Outcome, run.Sessions) : default);
        var again = await archiver.EraseAsync(new() { User = Former }, Token);
        Assert.Equal((session, Anothers), (Assert.Single(again.Sessions).SessionId, Assert.Single(again.Sessions[0].Reasons)));
        Assert.Equal("archived, restored", await StatesAsync(archiver, session));
        Assert.Contains(User, await ShowAsync(archiver, session), StringComparison.Ordinal);
        Assert.True((await archiver.EraseAsync(new() { Ids = [session] }, Token)).Complete);
    }

    [Fact]
    public async Task A_row_that_names_nobody_does_not_make_it_anothers()
    {
        await using var archiver = await GuestsAsync();
        Assert.Equal(3, (await archiver.RunAsync(Token)).Sessions);
        var session = await RestoredAsync(archiver);
        await archiver.ExecuteAsync("UPDATE chat_sessions SET user_id = NULL WHERE session_id = $1", session);

        Assert.True((await archiver.EraseAsync(new() { User = Former }, Token)).Complete);

        Assert.Equal(0, await LiveAsync(archiver, session));
    }

    private static async Task<string> RestoredAsync(ArchiverFixture archiver)
    {
        var session = (await archiver.Database.ScalarAsync<string>("SELECT min(session_id) FROM archiver.archives", Token))!;
        Assert.Equal(1, (await archiver.RestoreAsync(RestoreFixture.Session(session), Token)).Restored);
        return session;
    }

    private static Task<long> LiveAsync(ArchiverFixture archiver, string session) =>
        archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM chat_sessions WHERE session_id = '{session}'", Token);

    private static Task<string?> StatesAsync(ArchiverFixture archiver, string session) =>
        archiver.Database.ScalarAsync<string>(
            $"SELECT string_agg(state, ', ' ORDER BY state) FROM archiver.archives WHERE session_id = '{session}'",
            Token
        );

    private async Task<ArchiverFixture> GuestsAsync()
    {
        var archiver = await ArchiverFixture.CreateAsync(Servers, Token, idle: 3, young: 1, configure: s =>
            s with
            {
                Sources = [s.Sources[0] with { Keep = ["user_id"] }],
            }
        );
        await archiver.Database.ExecuteAsync($"UPDATE chat_sessions SET user_id = '{Former}'", Token);
        return archiver;
    }
}
