using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>A delayed delete keeps what changed, is held or was marked otherwise since it was stored.</summary>
public sealed class DelayedChangeTests(TestServers servers) : DelayedScenario(servers)
{
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

    // No row of the session says so: only the policy's own condition looks at the other table.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Keeps_what_the_policy_does_not_take_any_more_for_a_row_of_another_table(bool whileVerified)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(Servers, Token, idle: 3, young: 0, Messages);
        var unpinned = Delayed with { Where = "NOT EXISTS (SELECT FROM public.pins AS p WHERE p.session_id = s.session_id)" };
        await archiver.ExecuteAsync("CREATE TABLE pins (session_id uuid PRIMARY KEY)", null);
        Assert.Equal(3, (await archiver.RunAsync(unpinned, Token)).Sessions);
        await MakeDueAsync(archiver, "8 days", 3);
        var session = await archiver.AnyIdleAsync(Token);
        var rows = await RowsAsync(archiver, $"= '{session}'");
        Task PinAsync() => archiver.ExecuteAsync("INSERT INTO pins VALUES ($1)", session);
        Func<bool> reached = () => true;
        if (whileVerified)
            reached = InProcessFault.Once(FaultPoints.Reverified, PinAsync);
        else
            await PinAsync();

        var summary = await archiver.RunAsync(unpinned, Token);

        Assert.True(reached());
        Assert.Equal(
            (RunOutcome.Done, 2L, 1L),
            (summary.Outcome, summary.Delayed, summary.Reasons.GetValueOrDefault(DropReason.NoLongerEligible))
        );
        Assert.Equal((rows, "2 archived, 1 superseded"), (await RowsAsync(archiver), await StatesAsync(archiver)));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions WHERE archived"));
        await archiver.ExecuteAsync("TRUNCATE pins", null);
        Assert.Equal(1, (await archiver.RunAsync(unpinned, Token)).Sessions);
        Assert.Equal("2 archived, 1 stored, 1 superseded", await StatesAsync(archiver));
    }
}
