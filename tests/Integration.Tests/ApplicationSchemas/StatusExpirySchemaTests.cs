using Archiver.Testing;

namespace Archiver.Integration.Tests.ApplicationSchemas;

public sealed class StatusExpirySchemaTests(StatusExpirySchemaTests.Data data)
    : ApplicationSchemaTests(data, Names),
        IClassFixture<StatusExpirySchemaTests.Data>
{
    private static readonly SchemaNames Names = new()
    {
        Sessions = "public.sessions",
        Key = "id",
        Activity = "updated_at",
        Messages = "public.messages",
        MessageTime = "created_at",
        NewestFirst = "created_at DESC, id DESC",
        NewestIndex = "messages_newest_idx",
        ArchivingIndex = "sessions_archiving_idx",
    };

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
        var external = await SessionAsync("now() + interval '1 day'");
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
        var external = await SessionAsync("NULL");
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

    [Fact]
    public async Task Cleanup_expires_what_is_due_counts_it_and_leaves_the_rest()
    {
        await Database.ScalarAsync<int>("SELECT public.cleanup_expired_sessions()", Token);
        var due = await SessionAsync("now() - interval '1 second'");
        var later = await SessionAsync("now() + interval '1 day'");
        var never = await SessionAsync("NULL");
        var archived = await SessionAsync("now() - interval '1 day'", "archived");

        var first = await Database.ScalarAsync<int>("SELECT public.cleanup_expired_sessions()", Token);
        var second = await Database.ScalarAsync<int>("SELECT public.cleanup_expired_sessions()", Token);

        Assert.Equal((1, 0), (first, second));
        Assert.Equal("expired", await StatusAsync(due));
        Assert.Equal("active", await StatusAsync(later));
        Assert.Equal("active", await StatusAsync(never));
        Assert.Equal("archived", await StatusAsync(archived));
    }

    [Fact]
    public async Task Cleanup_does_not_wait_for_a_session_that_is_being_written()
    {
        var busy = await SessionAsync("now() - interval '1 second'");
        await using var connection = await Database.DataSource.OpenConnectionAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await using var writing = connection.CreateCommand();
        writing.CommandText = $"UPDATE public.sessions SET title = 'busy' WHERE session_id = '{busy}'";
        await writing.ExecuteNonQueryAsync(Token);

        await Database.ScalarAsync<int>("SET LOCAL lock_timeout = '2s'; SELECT public.cleanup_expired_sessions()", Token);

        await transaction.CommitAsync(Token);
        Assert.Equal("active", await StatusAsync(busy));
        Assert.Equal(1, await Database.ScalarAsync<int>("SELECT public.cleanup_expired_sessions()", Token));
    }

    [Fact]
    public async Task Cleanup_hangs_on_no_trigger() =>
        Assert.Equal(
            "sessions_set_updated_at\n",
            await Database.CopyOutAsync("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal", Token)
        );

    [Theory]
    [InlineData("title = 'changed'", true)]
    [InlineData("status = 'active'", true)]
    [InlineData("title = title", false)]
    [InlineData("status = 'expired'", false)]
    [InlineData("status = 'archived'", false)]
    [InlineData("status = 'archived', title = 'changed'", true)]
    [InlineData("title = 'imported', updated_at = '2021-01-01 00:00Z'", false)]
    public async Task A_change_by_the_application_moves_updated_at_and_housekeeping_does_not(string change, bool moves)
    {
        var session = await SessionAsync("NULL", change.StartsWith("status = 'active'", StringComparison.Ordinal) ? "expired" : "active");
        await Database.ExecuteAsync(
            $"""
            UPDATE public.sessions SET updated_at = '2020-01-01 00:00Z' WHERE session_id = '{session}';
            UPDATE public.sessions SET {change} WHERE session_id = '{session}';
            """,
            Token
        );

        var moved = await Database.ScalarAsync<bool>(
            $"SELECT updated_at > now() - interval '10 minutes' FROM public.sessions WHERE session_id = '{session}'",
            Token
        );

        Assert.Equal(moves, moved);
    }

    [Fact]
    public async Task Cleanup_leaves_a_forgotten_session_as_old_as_it_was()
    {
        var forgotten = await SessionAsync("now() - interval '1 year'");
        await Database.ExecuteAsync($"UPDATE public.sessions SET updated_at = '2020-01-01 00:00Z' WHERE session_id = '{forgotten}'", Token);

        await Database.ScalarAsync<int>("SELECT public.cleanup_expired_sessions()", Token);

        Assert.Equal("expired", await StatusAsync(forgotten));
        Assert.True(
            await Database.ScalarAsync<bool>(
                $"SELECT updated_at = '2020-01-01 00:00Z' FROM public.sessions WHERE session_id = '{forgotten}'",
                Token
            )
        );
    }

    [Fact]
    public async Task Embeddings_are_vectors_where_the_server_has_them_and_arrays_elsewhere()
    {
        var available = await Database.ScalarAsync<bool>(
            "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector')",
            Token
        );

        var type = await Database.ScalarAsync<string>(
            """
            SELECT format_type(atttypid, atttypmod) FROM pg_attribute
            WHERE attrelid = 'public.messages'::regclass AND attname = 'embedding'
            """,
            Token
        );

        Assert.Equal(available ? "vector(1536)" : "real[]", type);
    }

    [Fact]
    public async Task Expired_sessions_are_selected_from_their_own_index() =>
        await AssertReadsInOrderAsync(
            """
            SELECT id FROM public.sessions
            WHERE expires_at < now() - interval '90 days'
            ORDER BY expires_at, id
            LIMIT 1000
            """,
            "sessions_expires_idx"
        );

    private async Task<string> SessionAsync(string expiresAt, string status = "active") =>
        (
            await Database.ScalarAsync<string>(
                $"""
                INSERT INTO public.sessions (session_id, user_id, status, expires_at)
                VALUES ('test-' || gen_random_uuid(), 'test', '{status}', {expiresAt})
                RETURNING session_id
                """,
                Token
            )
        )!;

    private Task<string?> StatusAsync(string external) =>
        Database.ScalarAsync<string>($"SELECT status FROM public.sessions WHERE session_id = '{external}'", Token);

    public sealed class Data(TestServers servers) : ApplicationSchemaData(servers, "status-expiry");
}
