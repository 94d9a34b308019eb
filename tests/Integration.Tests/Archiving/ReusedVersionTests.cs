using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Npgsql;
using static Archiver.Integration.Tests.Archiving.OneChangedSession;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>Row versions that look like the exported ones and are others (docs/protocol.md rule 2).</summary>
public sealed class ReusedVersionTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Keeps_a_session_whose_row_versions_changed_although_their_transaction_ids_add_up_the_same()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        // Four transactions with ids n to n+3. The middle two write before the export, the outer two after it: (n+1)+(n+2) = n+(n+3).
        var writers = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(_ => archiver.Database.DataSource.OpenConnectionAsync(Token).AsTask())
        );
        await BeginWithConsecutiveIdsAsync(writers);
        foreach (var (writer, text) in new[] { (writers[1], "first"), (writers[2], "second") })
        {
            await archiver.ExecuteAsync(
                $"INSERT INTO chat_messages (session_id, role, content, timestamp) VALUES ($1, 'user', '{text}', "
                    + "now() - interval '200 days')",
                session,
                writer
            );
            await archiver.ExecuteAsync("COMMIT", null, writer);
        }
        archiver.Store = new HookedStore(archiver.Store)
        {
            BeforeFirstPut = async () =>
            {
                await archiver.ExecuteAsync(
                    "UPDATE chat_messages SET content = 'first, edited' WHERE session_id = $1 AND content = 'first'",
                    session,
                    writers[0]
                );
                await archiver.ExecuteAsync("COMMIT", null, writers[0]);
                await archiver.ExecuteAsync(
                    "UPDATE chat_messages SET content = 'second, edited' WHERE session_id = $1 AND content = 'second'",
                    session,
                    writers[3]
                );
                await archiver.ExecuteAsync("COMMIT", null, writers[3]);
            },
        };

        var summary = await archiver.RunAsync(Token);

        await AssertOnlyStaysAsync(archiver, session, summary, DropReason.Changed);
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_messages WHERE content LIKE '%, edited'"));
        foreach (var writer in writers)
            await writer.DisposeAsync();
    }

    [Fact]
    public async Task Keeps_a_session_with_a_message_that_stands_where_an_exported_one_stood()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        await WriteAsync("exported");
        var place = await PlaceAsync("exported");
        // Not earlier: the export's snapshot keeps the place from being used again.
        InProcessFault.Once(FaultPoints.Exported, async () =>
        {
            await archiver.ExecuteAsync("DELETE FROM chat_messages WHERE session_id = $1 AND content = 'exported'", session);
            await archiver.ExecuteAsync("VACUUM (INDEX_CLEANUP ON) chat_messages", null);
            // Free space elsewhere may be taken first, and is not free any more when that message is deleted again.
            await WriteAsync("written!");
            for (var tries = 0; await PlaceAsync("written!") != place; tries++)
            {
                Assert.True(tries < 500, $"No message came to stand at {place}.");
                await archiver.ExecuteAsync("DELETE FROM chat_messages WHERE content = 'written!'", null);
                await WriteAsync("written!");
            }
        });

        var summary = await archiver.RunAsync(Token);

        await AssertOnlyStaysAsync(archiver, session, summary, DropReason.Changed);

        // Both are equally long, so that one fits where the other stood.
        Task WriteAsync(string text) =>
            archiver.ExecuteAsync(
                $"INSERT INTO chat_messages (session_id, role, content, timestamp) VALUES ($1, 'user', '{text}', now() - interval '200 "
                    + "days')",
                session
            );

        Task<string?> PlaceAsync(string text) =>
            archiver.Database.ScalarAsync<string>($"SELECT ctid::text FROM chat_messages WHERE content = '{text}'", Token);
    }

    /// <summary>Other tests share the server and take ids as well, so this is tried until nobody came between.</summary>
    private static async Task BeginWithConsecutiveIdsAsync(NpgsqlConnection[] writers)
    {
        for (var tries = 0; tries < 1000; tries++)
        {
            List<long> ids = [];
            foreach (var writer in writers)
            {
                await using var begin = new NpgsqlCommand("BEGIN; SELECT pg_current_xact_id()::text::bigint", writer);
                ids.Add((long)(await begin.ExecuteScalarAsync(Token))!);
            }
            if (ids[3] - ids[0] == 3)
                return;
            foreach (var writer in writers)
            {
                await using var rollback = new NpgsqlCommand("ROLLBACK", writer);
                await rollback.ExecuteNonQueryAsync(Token);
            }
        }
        Assert.Fail("No four consecutive transaction ids in 1,000 tries.");
    }
}
