using Archiver.Testing;
using static Archiver.Integration.Tests.ApplicationSchemas.ExpiringSession;

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

    [Fact]
    public async Task Cleanup_expires_what_is_due_counts_it_and_leaves_the_rest()
    {
        await Database.ScalarAsync<int>("SELECT public.cleanup_expired_sessions()", Token);
        var due = await SessionAsync(Database, "now() - interval '1 second'");
        var later = await SessionAsync(Database, "now() + interval '1 day'");
        var never = await SessionAsync(Database, "NULL");
        var archived = await SessionAsync(Database, "now() - interval '1 day'", "archived");

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
        var busy = await SessionAsync(Database, "now() - interval '1 second'");
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
        var session = await SessionAsync(
            Database,
            "NULL",
            change.StartsWith("status = 'active'", StringComparison.Ordinal) ? "expired" : "active"
        );
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
        var forgotten = await SessionAsync(Database, "now() - interval '1 year'");
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

    private Task<string?> StatusAsync(string external) =>
        Database.ScalarAsync<string>($"SELECT status FROM public.sessions WHERE session_id = '{external}'", Token);

    public sealed class Data(TestServers servers) : ApplicationSchemaData(servers, "status-expiry");
}
