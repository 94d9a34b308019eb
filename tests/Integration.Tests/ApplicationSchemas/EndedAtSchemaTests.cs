using Archiver.Testing;
using Npgsql;

namespace Archiver.Integration.Tests.ApplicationSchemas;

public sealed class EndedAtSchemaTests(EndedAtSchemaTests.Data data)
    : ApplicationSchemaTests(data, Names),
        IClassFixture<EndedAtSchemaTests.Data>
{
    private static readonly SchemaNames Names = new()
    {
        Sessions = "public.chat_sessions",
        Key = "session_id",
        Activity = "last_activity",
        Messages = "public.chat_messages",
        MessageTime = "timestamp",
        NewestFirst = "timestamp DESC, id DESC",
        NewestIndex = "chat_messages_newest_idx",
        ArchivingIndex = "chat_sessions_archiving_idx",
    };

    [Fact]
    public async Task Messages_of_one_transaction_keep_the_order_in_which_they_were_written()
    {
        var session = await Database.ScalarAsync<Guid>(
            """
            INSERT INTO public.chat_sessions (user_id) VALUES ('test') RETURNING session_id
            """,
            Token
        );

        await Database.ExecuteAsync(
            $"""
            INSERT INTO public.chat_messages (session_id, role, content) VALUES ('{session}', 'user', 'first');
            INSERT INTO public.chat_messages (session_id, role, content) VALUES ('{session}', 'assistant', 'second');
            """,
            Token
        );

        // Equal transactions, different times: with now() only the id would tell them apart.
        Assert.Equal(
            "1\t2\tsecond,first\n",
            await Database.CopyOutAsync(
                $"""
                SELECT count(DISTINCT xmin::text), count(DISTINCT timestamp), string_agg(content, ',' ORDER BY timestamp DESC)
                FROM public.chat_messages WHERE session_id = '{session}'
                """,
                Token
            )
        );
    }

    [Fact]
    public async Task Refuses_a_role_that_is_none()
    {
        var error = await Assert.ThrowsAsync<PostgresException>(() =>
            Database.ExecuteAsync(
                """
                INSERT INTO public.chat_messages (session_id, role, content)
                SELECT session_id, 'narrator', '' FROM public.chat_sessions LIMIT 1
                """,
                Token
            )
        );

        Assert.Equal(PostgresErrorCodes.CheckViolation, error.SqlState);
    }

    [Fact]
    public async Task Ended_sessions_are_selected_from_their_own_index() =>
        await AssertReadsInOrderAsync(
            """
            SELECT session_id FROM public.chat_sessions
            WHERE ended_at < now() - interval '90 days'
            ORDER BY ended_at, session_id
            LIMIT 100
            """,
            "chat_sessions_ended_idx"
        );

    [Fact]
    public async Task Sessions_that_stay_after_they_were_archived_are_found_by_the_partial_index() =>
        await AssertReadsInOrderAsync(
            """
            SELECT session_id FROM public.chat_sessions
            WHERE archived
            ORDER BY last_activity, session_id
            LIMIT 1000
            """,
            "chat_sessions_archived_idx"
        );

    public sealed class Data(TestServers servers) : ApplicationSchemaData(servers, "ended-at");
}
