using Archiver.Core.Query;

namespace Archiver.Core.Tests.Query;

/// <summary>What a SELECT says so plainly that other sessions need not be fetched, and what it does not.</summary>
public sealed class PlainConditionTests
{
    [Theory]
    [InlineData("SELECT count(*) FROM sessions WHERE user_id = 'x'", "user_id=x")]
    [InlineData("SELECT 1 FROM sessions AS s WHERE 'x' = s.USER_ID AND s.title LIKE 'a%'", "user_id=x")]
    [InlineData("SELECT 1 FROM messages WHERE session_id IN ('a', 'b') AND role = 'user'", "session_id=a|b")]
    [InlineData("FROM messages WHERE session_id = 'a' AND session_id = 'b'", "session_id=")]
    [InlineData(
        "SELECT 1 FROM sessions WHERE archived_at >= '2026-01-01' AND archived_at < '2026-02-01T00:00:00Z'",
        "archived_at 2025-12-31..2026-02-03"
    )]
    [InlineData(
        "SELECT 1 FROM sessions WHERE session_last_activity BETWEEN DATE '2026-01-01' AND TIMESTAMPTZ '2026-01-31 12:00:00+02'",
        "session_last_activity 2025-12-31..2026-02-02"
    )]
    [InlineData("SELECT 1 FROM sessions WHERE '2026-01-01' < archived_at", "archived_at 2025-12-31..")]
    [InlineData(
        "SELECT role, count(*) FROM messages m JOIN sessions s USING (session_id) WHERE s.user_id = 'x' GROUP BY 1 ORDER BY 2 LIMIT 3",
        "user_id=x"
    )]
    [InlineData(
        "SELECT 1 FROM sessions s LEFT JOIN messages m ON s.session_id = m.session_id AND m.role = 'user' WHERE user_id = 'x'",
        "user_id=x"
    )]
    [InlineData("SELECT 1 FROM sessions s, messages m WHERE s.session_id = m.session_id AND s.user_id = 'x'", "")]
    [InlineData("SELECT 1 FROM sessions s JOIN messages m ON m.row_session_id = s.session_id WHERE s.user_id = 'x'", "")]
    [InlineData("SELECT 1 FROM messages RIGHT JOIN sessions USING (session_id) WHERE user_id = 'x'", "")]
    [InlineData("SELECT 1 FROM sessions WHERE user_id = 'x' OR user_id = 'y'", "")]
    [InlineData("SELECT 1 FROM sessions WHERE NOT user_id = 'x'", "")]
    [InlineData("SELECT 1 FROM sessions WHERE user_id <> 'x'", "")]
    [InlineData("SELECT 1 FROM sessions WHERE user_id = 42", "")]
    [InlineData("SELECT 1 FROM sessions WHERE lower(user_id) = 'x'", "")]
    [InlineData("SELECT 1 FROM sessions WHERE user_id = title", "")]
    [InlineData("SELECT 1 FROM sessions WHERE archived_at > now() - INTERVAL 1 DAY", "")]
    [InlineData("SELECT 1 FROM messages WHERE user_id = 'x'", "")]
    [InlineData("SELECT (SELECT count(*) FROM messages) FROM sessions WHERE user_id = 'x'", "")]
    [InlineData("SELECT 1 FROM sessions WHERE user_id = 'x' AND session_id IN (SELECT session_id FROM messages)", "")]
    [InlineData("SELECT 1 FROM sessions WHERE user_id = 'x' UNION ALL SELECT 2 FROM sessions", "")]
    [InlineData("WITH s AS (SELECT * FROM sessions) SELECT 1 FROM s WHERE user_id = 'x'", "")]
    [InlineData("SELECT 1 FROM sessions AS s (a, user_id) WHERE user_id = 'x'", "")]
    [InlineData("SELECT 1 FROM (SELECT * FROM sessions) WHERE user_id = 'x'", "")]
    [InlineData("SELECT 1 FROM sessions, query_table('messages') WHERE user_id = 'x'", "")]
    [InlineData("SELECT 1 FROM sessions TABLESAMPLE 10% WHERE user_id = 'x'", "")]
    public void Prunes_where_it_is_plain_and_nowhere_else(string sql, string expected)
    {
        using var folder = QueryFolder.Create(null);
        using var database = new DuckDatabase(new(QueryLimits.LeastMemory), folder.Path, null);

        Assert.Equal(expected, Text(PlainConditions.Of(SqlStatement.Parse(database, sql).Node, sources: 1)));
    }

    [Fact]
    public void Does_not_prune_a_join_of_several_sources()
    {
        using var folder = QueryFolder.Create(null);
        using var database = new DuckDatabase(new(QueryLimits.LeastMemory), folder.Path, null);
        LedgerCondition Of(string sql) => PlainConditions.Of(SqlStatement.Parse(database, sql).Node, sources: 2);

        Assert.True(Of("SELECT 1 FROM messages JOIN sessions s USING (session_id) WHERE s.user_id = 'x'").IsNone);
        Assert.False(Of("SELECT 1 FROM sessions s WHERE s.user_id = 'x'").IsNone);
    }

    private static string Text(LedgerCondition condition) =>
        string.Join(
            ' ',
            [
                .. condition.Texts.Select(t => $"{t.Key}={string.Join('|', t.Value)}"),
                .. condition.Times.Select(t => $"{t.Key} {t.Value.From:yyyy-MM-dd}..{t.Value.To:yyyy-MM-dd}"),
            ]
        );
}
