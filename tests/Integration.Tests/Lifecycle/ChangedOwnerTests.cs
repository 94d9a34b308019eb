using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>
/// An application gives a session to another user between its selection and its export, as when an account takes over a guest's.
/// </summary>
public sealed class ChangedOwnerTests(TestServers servers) : ErasureScenario(servers)
{
    private const string Former = "guest";

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
