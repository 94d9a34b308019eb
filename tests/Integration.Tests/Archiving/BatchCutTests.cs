using System.Globalization;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>
/// A batch ends at its bounds while it is exported; what does not fit comes first into the next. One bundle a batch shows what was in each.
/// </summary>
public sealed class BatchCutTests(TestServers servers) : UnevenSessions(servers)
{
    private static readonly int[] Uneven = [3, 1, 4, 1, 5, 9, 2, 6, 0, 3, 5, 8, 9, 7, 9, 40, 2, 3, 8, 0, 25, 26, 1];

    [Fact]
    public async Task Keeps_every_batch_within_its_rows_in_the_order_of_selection()
    {
        await using var archiver = await CreateAsync(b => b with { Rows = 12 });
        await FillAsync(archiver, Uneven, _ => 10);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, Uneven.Length, Uneven.Length), (summary.Outcome, summary.Sessions, summary.Selected));
        var batches = await BatchesAsync(archiver);
        Assert.Equal(Enumerable.Range(0, Uneven.Length), batches.SelectMany(b => b));
        Assert.All(batches, b =>
            Assert.True(b.Length == 1 || b.Sum(n => Uneven[n] + 1) <= 12, $"a batch of sessions {string.Join(", ", b)}")
        );
        // The first is full: nothing was known that could have made it smaller.
        Assert.Equal([0, 1, 2], batches[0]);
        Assert.True(batches.Count < Uneven.Length - 4, $"{batches.Count} batches");
    }

    /// <summary>What is left when a batch ends is more than another batch, so that the server is told to stop.</summary>
    [Fact]
    public async Task Keeps_every_batch_within_its_bytes()
    {
        int[] kilobytes = [20, 30, 60, 10, 90, 400, 5, 900, 900, 40, 50, 60, 70, 1, 1, 1];
        await using var archiver = await CreateAsync(b => b with { Bytes = 100_000 });
        await FillAsync(archiver, [.. kilobytes.Select(_ => 2)], n => kilobytes[n] * 500);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, kilobytes.Length), (summary.Outcome, summary.Sessions));
        var batches = await BatchesAsync(archiver);
        Assert.Equal(Enumerable.Range(0, kilobytes.Length), batches.SelectMany(b => b));
        Assert.All(batches, b =>
            Assert.True(b.Length == 1 || b.Sum(n => kilobytes[n]) <= 100, $"a batch of sessions {string.Join(", ", b)}")
        );
        Assert.Equal([0, 1], batches[0]);
    }

    /// <summary>Beside others the rows of all its tables but the last would be held in memory.</summary>
    [Fact]
    public async Task A_session_that_is_large_itself_goes_alone_although_the_bounds_have_room()
    {
        await using var archiver = await CreateAsync(b => b);
        await FillAsync(archiver, [2, 2, 9, 2, 2], n => n == 2 ? 1_000_000 : 10);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, 5), (summary.Outcome, summary.Sessions));
        Assert.Equal(
            [
                [0, 1],
                [2],
                [3, 4],
            ],
            await BatchesAsync(archiver)
        );
    }

    [Fact]
    public async Task Counts_what_it_gives_back_against_the_most_that_a_run_may_take_only_once()
    {
        await using var archiver = await CreateAsync(b => b with { Rows = 12 });
        await FillAsync(archiver, Uneven, _ => 10);

        var summary = await new Core.Pipelines.PolicyRunner(
            archiver.Settings,
            archiver.Catalog,
            archiver.Store,
            TimeProvider.System,
            archiver.Events
        ).RunAsync(new RunRequest(archiver.Source, archiver.Policy, 7), null, Token);

        Assert.Equal((7L, 7L), (summary.Sessions, summary.Selected));
        Assert.Equal(Enumerable.Range(0, 7), (await BatchesAsync(archiver)).SelectMany(b => b));
    }

    /// <summary>Both go in the end: one whose reference stays for the next batch is left to the next run.</summary>
    [Fact]
    public async Task A_session_that_another_one_beyond_the_end_points_to_waits_for_it()
    {
        await using var archiver = await CreateAsync(b => b with { Rows = 7 });
        await archiver.Database.ExecuteAsync("ALTER TABLE chat_sessions ADD COLUMN follows uuid REFERENCES chat_sessions", Token);
        await FillAsync(archiver, [2, 2, 2, 2], _ => 10);
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_sessions SET follows = (SELECT session_id FROM chat_sessions WHERE user_id = '1') WHERE user_id = '2'",
            Token
        );

        var first = await archiver.RunAsync(Token);
        var second = await archiver.RunAsync(Token);

        Assert.Equal((3L, 1L, 1L), (first.Sessions, first.Skipped, first.Reasons[DropReason.Referenced]));
        Assert.Equal((1L, 0L), (second.Sessions, second.Skipped));
    }

    /// <summary>Sessions in the order of their selection, with their number as their user.</summary>
    private static async Task FillAsync(ArchiverFixture archiver, int[] messages, Func<int, int> bytes)
    {
        for (var n = 0; n < messages.Length; n++)
            await archiver.Database.ExecuteAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"""
                    WITH s AS (
                      INSERT INTO chat_sessions (session_id, user_id, created_at, last_activity)
                      SELECT gen_random_uuid(), '{n}', t, t FROM (SELECT now() - interval '300 days' + {n} * interval '1 hour' AS t) AS at
                        RETURNING session_id, last_activity
                    )
                    INSERT INTO chat_messages (session_id, role, content, timestamp) SELECT session_id, 'user', repeat('x', {bytes(n)}),
                      last_activity FROM s, generate_series(1, {messages[n]})
                    """
                ),
                Token
            );
    }
}
