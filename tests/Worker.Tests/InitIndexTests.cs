using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// What the indexes are worth that <c>archiver init</c> prints, on a table of 200,000 sessions: docs/init.md has the times, this holds
/// their reason.
/// </summary>
public sealed class InitIndexTests(TestServers servers)
{
    private static readonly string[] Schema =
    [
        "CREATE TABLE conversations (id uuid, user_id text, title text, created_at timestamptz NOT NULL, updated_at "
            + "timestamptz NOT NULL)",
        "CREATE TABLE messages (id bigserial PRIMARY KEY, conversation_id uuid NOT NULL, role text, content text, created_at timestamptz "
            + "NOT NULL)",
        "INSERT INTO conversations SELECT md5(i::text)::uuid, 'u' || i % 1000, 'title', at, at FROM generate_series(1, 200000) i, LATERAL "
            + "(SELECT now() - (i * 7919 % 730) * interval '1 day') AS a (at)",
        "INSERT INTO messages (conversation_id, role, content, created_at) SELECT id, 'user', 'hello', updated_at FROM conversations",
        // Its index is built when the rows are there: to keep it up with each row took several times as long.
        "ALTER TABLE conversations ADD PRIMARY KEY (id)",
        "ALTER TABLE messages ADD FOREIGN KEY (conversation_id) REFERENCES conversations",
        "VACUUM ANALYZE conversations",
        "VACUUM ANALYZE messages",
    ];

    // As selection asks for a page, and as the export reads the messages of some sessions.
    private const string Page =
        "SELECT s.id FROM conversations AS s WHERE s.updated_at < now() - interval '90 days' ORDER BY s.updated_at, s.id LIMIT 1000";
    private const string Messages =
        "SELECT t.* FROM messages AS t WHERE t.conversation_id = ANY (ARRAY(SELECT md5(i::text)::uuid FROM generate_series(1, 100) i))";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_page_of_sessions_and_their_messages_are_read_without_the_rest_of_200_000()
    {
        await using var desk = await InitDesk.CreateAsync(servers, "SELECT");
        foreach (var statement in Schema)
            await desk.Database.ExecuteAsync(statement, Token);
        var (page, messages) = (await ExplainAsync(desk, Page), await ExplainAsync(desk, Messages));
        Assert.Contains("Seq Scan", page.Plan, StringComparison.Ordinal);
        Assert.Contains("Seq Scan", messages.Plan, StringComparison.Ordinal);

        var init = await desk.InitAsync();
        var indexes = InitDesk.Statements(init).Where(s => s.StartsWith("CREATE INDEX", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, indexes.Count);
        foreach (var statement in indexes)
            await desk.Database.ExecuteAsync(statement, Token);

        var (fastPage, fastMessages) = (await ExplainAsync(desk, Page), await ExplainAsync(desk, Messages));
        Assert.DoesNotContain("Seq Scan", fastPage.Plan + fastMessages.Plan, StringComparison.Ordinal);
        Assert.DoesNotContain("\"Sort\"", fastPage.Plan, StringComparison.Ordinal);
        Assert.InRange(fastPage.Blocks, 1, page.Blocks / 20);
        Assert.InRange(fastMessages.Blocks, 1, messages.Blocks / 3);
    }

    /// <summary>The plan, and the blocks of 8 kB that it read: the same on a busy machine.</summary>
    private static async Task<(string Plan, long Blocks)> ExplainAsync(InitDesk desk, string query)
    {
        await using var connection = await desk.Database.DataSource.OpenConnectionAsync(Token);
        await using var command = connection.CreateCommand();
        // One process, as the archiver's transactions say it.
        command.CommandText = "SET max_parallel_workers_per_gather = 0";
        await command.ExecuteNonQueryAsync(Token);
        command.CommandText = $"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}";
        var plan = (string)(await command.ExecuteScalarAsync(Token))!;
        var root = JsonDocument.Parse(plan).RootElement[0].GetProperty("Plan");
        return (plan, root.GetProperty("Shared Hit Blocks").GetInt64() + root.GetProperty("Shared Read Blocks").GetInt64());
    }
}
