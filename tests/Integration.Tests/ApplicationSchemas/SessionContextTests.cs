using Archiver.Testing;
using static Archiver.Integration.Tests.ApplicationSchemas.ExpiringSession;

namespace Archiver.Integration.Tests.ApplicationSchemas;

/// <summary>The context of a session that the schema status-expiry gives to its application.</summary>
public sealed class SessionContextTests(StatusExpirySchemaTests.Data data) : IClassFixture<StatusExpirySchemaTests.Data>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private TestDatabase Database => data.Database;

    [Theory]
    [InlineData(-1, "")]
    [InlineData(0, "")]
    [InlineData(9, "")]
    [InlineData(10, "m4")]
    [InlineData(29, "m4")]
    [InlineData(30, "m3,m4")]
    [InlineData(31, "m3,m4")]
    [InlineData(32, "m2,m3,m4")]
    [InlineData(71, "m2,m3,m4")]
    [InlineData(72, "m1,m2,m3,m4")]
    [InlineData(int.MaxValue, "m1,m2,m3,m4")]
    public async Task The_context_is_the_newest_messages_within_the_budget_oldest_first(int budget, string expected)
    {
        // m2 was never counted: eight characters are estimated as two tokens. m3 and m4 share one time; the id decides.
        var external = await SessionAsync(Database, "now() + interval '1 day'");
        await Database.ExecuteAsync(
            $"""
            INSERT INTO public.messages (session_id, role, content, token_count, created_at)
            SELECT s.id, 'user', m.content, m.tokens, m.created_at
            FROM public.sessions s
            CROSS JOIN (VALUES
              (1, 'm1', 40, timestamptz '2026-01-01 10:00Z'),
              (2, 'm2 66666', NULL, '2026-01-01 10:01Z'),
              (3, 'm3', 20, '2026-01-01 10:02Z'),
              (4, 'm4', 10, '2026-01-01 10:02Z')) AS m (n, content, tokens, created_at)
            WHERE s.session_id = '{external}'
            ORDER BY m.n
            """,
            Token
        );

        var context = await Database.ScalarAsync<string>(
            $"SELECT coalesce(string_agg(left(content, 2), ','), '') FROM public.get_session_context('{external}', {budget})",
            Token
        );

        Assert.Equal(expected, context);
    }

    [Fact]
    public async Task The_context_of_a_long_session_reads_only_its_newest_messages()
    {
        var external = await SessionAsync(Database, "NULL");
        await Database.ExecuteAsync(
            $"""
            INSERT INTO public.messages (session_id, role, content, token_count)
            SELECT id, 'user', 'x', 1 FROM public.sessions, generate_series(1, 20000) WHERE session_id = '{external}';
            ANALYZE public.messages;
            """,
            Token
        );

        // The server process may hold counts of earlier transactions that it has not reported yet, hence a difference.
        var read = await Database.ScalarAsync<long>(
            $"""
            DO $$ BEGIN
              PERFORM set_config('test.before', pg_stat_get_xact_tuples_returned('public.messages_newest_idx'::regclass)::text, true);
              PERFORM public.get_session_context('{external}', 100);
            END $$;
            SELECT pg_stat_get_xact_tuples_returned('public.messages_newest_idx'::regclass) - current_setting('test.before')::bigint
            """,
            Token
        );
        await Database.ExecuteAsync(
            $"DELETE FROM public.messages WHERE session_id = (SELECT id FROM public.sessions WHERE session_id = '{external}')",
            Token
        );

        Assert.InRange(read, 200, 400);
    }

    [Fact]
    public async Task A_session_that_is_not_there_has_no_context() =>
        Assert.Equal(0, await Database.ScalarAsync<long>("SELECT count(*) FROM public.get_session_context('nobody', 1000)", Token));
}
