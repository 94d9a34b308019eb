using Archiver.Testing;

namespace Archiver.Integration.Tests.ApplicationSchemas;

/// <summary>
/// <c>sql/schemas/&lt;preset&gt;.sql</c> on the tables of the systems as their owners' documents have them, and the way back.
/// </summary>
public sealed class UpgradeTests(TestServers servers)
{
    private const string Columns = """
        SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1
        """;

    private const string Indexes = "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%key' ORDER BY 1";

    private const string Code = """
        SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL
        SELECT 'function ' || p.proname || ' ' || array_to_string(p.proargnames, ',')
        FROM pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace
          AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = p.oid AND d.deptype = 'e')
        ORDER BY 1
        """;

    private const string Whole = """
        SELECT concat_ws(' ', table_name, column_name, data_type, column_default) FROM information_schema.columns
          WHERE table_schema = 'public'
        UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
        ORDER BY 1
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ended-at", "idx_messages_session,idx_session_archived,idx_session_last_activity,idx_session_user")]
    [InlineData("last-accessed", "idx_messages_session_id,idx_sessions_expires_at,idx_sessions_user_id")]
    [InlineData("status-expiry", "idx_sessions_expires_at,idx_sessions_session_id,idx_sessions_status")]
    [InlineData("soft-delete", "ix_chat_messages_session_id,ix_chat_sessions_last_activity")]
    public async Task The_owners_tables_become_the_reviewed_ones_and_no_row_changes(string preset, string replaced)
    {
        await using var reviewed = await TestDatabase.CreateAsync(servers, Token);
        await ApplicationSchema.InstallAsync(reviewed, preset, Token);
        await using var database = await OwnersAsync(preset);
        var former = await database.CopyOutAsync(Indexes, Token);
        var (sessions, messages) = await RowsAsync(database);

        await ApplicationSchema.InstallAsync(database, preset, Token);
        await ApplicationSchema.InstallAsync(database, preset, Token);

        foreach (var part in new[] { Columns, Indexes, Code })
            Assert.Superset(await LinesAsync(reviewed, part), await LinesAsync(database, part));
        Assert.All(replaced.Split(','), name => Assert.Contains($"{name}\n", former, StringComparison.Ordinal));
        Assert.Empty((await LinesAsync(database, Indexes)).Intersect(replaced.Split(',')));
        Assert.Equal((sessions, messages), await RowsAsync(database));
    }

    [Fact]
    public async Task What_was_never_seen_to_be_read_was_last_used_when_it_was_changed_and_stays_as_old()
    {
        await using var database = await OwnersAsync("last-accessed");

        await ApplicationSchema.InstallAsync(database, "last-accessed", Token);

        Assert.Equal(
            "40\t30\n",
            await database.CopyOutAsync(
                "SELECT count(*) FILTER (WHERE last_accessed = updated_at), count(*) FILTER (WHERE last_accessed < now() - interval '90 "
                    + "days') FROM sessions",
                Token
            )
        );
    }

    [Theory]
    [InlineData("last-accessed")]
    [InlineData("last-accessed.migration")]
    public async Task A_function_with_another_result_is_replaced(string owners)
    {
        await using var database = await OwnersAsync("last-accessed");
        if (owners != "last-accessed")
            await database.ExecuteAsync(await ReadAsync(owners), Token);

        await ApplicationSchema.InstallAsync(database, "last-accessed", Token);

        Assert.True(
            await database.ScalarAsync<bool>("SELECT update_session_last_accessed(p_session_id => id) FROM sessions LIMIT 1", Token)
        );
    }

    [Fact]
    public async Task The_context_has_the_arguments_and_columns_that_its_callers_know_and_is_of_active_sessions()
    {
        await using var database = await OwnersAsync("status-expiry");
        const string context =
            "SELECT message_id IS NOT NULL, role, content, token_count, created_at < now() FROM "
            + "get_session_context(p_session_id => 'conv-3')";
        const string columns =
            "SELECT pg_get_function_arguments(oid) || ' ' || pg_get_function_result(oid) FROM pg_proc WHERE proname = "
            + "'get_session_context'";
        var before = await database.ScalarAsync<string>(columns, Token);

        await ApplicationSchema.InstallAsync(database, "status-expiry", Token);

        Assert.Equal(before, await database.ScalarAsync<string>(columns, Token));
        Assert.Equal(2, (await database.CopyOutAsync(context, Token)).Count(c => c == '\n'));
        await database.ExecuteAsync("UPDATE sessions SET status = 'expired' WHERE session_id = 'conv-3'", Token);
        Assert.Equal("", await database.CopyOutAsync(context, Token));
    }

    /// <summary>The owner's trigger updates its own table, for which it fires again.</summary>
    [Fact]
    public async Task A_session_can_be_inserted_where_the_trigger_called_itself()
    {
        await using var database = await OwnersAsync("status-expiry");
        const string insert = "INSERT INTO sessions (session_id, expires_at) VALUES ('new', now() - interval '1 day')";
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => database.ExecuteAsync(insert, Token));

        await ApplicationSchema.InstallAsync(database, "status-expiry", Token);

        await database.ExecuteAsync(insert, Token);
        Assert.InRange(await database.ScalarAsync<int>("SELECT cleanup_expired_sessions()", Token), 1, 41);
    }

    [Theory]
    [InlineData("ended-at")]
    [InlineData("status-expiry")]
    [InlineData("soft-delete")]
    public async Task The_way_back_leads_to_the_owners_tables_and_up_again(string preset)
    {
        await using var database = await OwnersAsync(preset);
        // A trigger that calls itself does not come back.
        if (preset == "status-expiry")
            await database.ExecuteAsync("DROP TRIGGER trigger_cleanup_sessions ON sessions", Token);
        var owners = await database.CopyOutAsync(Whole, Token);
        await ApplicationSchema.InstallAsync(database, preset, Token);
        var upgraded = await database.CopyOutAsync(Whole, Token);

        await database.ExecuteAsync(await File.ReadAllTextAsync(Repository.File("sql", "schemas", "down", $"{preset}.sql"), Token), Token);

        Assert.Equal(owners, await database.CopyOutAsync(Whole, Token));
        await ApplicationSchema.InstallAsync(database, preset, Token);
        Assert.Equal(upgraded, await database.CopyOutAsync(Whole, Token));
    }

    [Fact]
    public async Task The_way_back_keeps_the_times_of_reading_and_a_column_that_is_in_use()
    {
        await using var database = await OwnersAsync("last-accessed");
        await ApplicationSchema.InstallAsync(database, "last-accessed", Token);
        await database.ExecuteAsync("UPDATE sessions SET title = 'in use' WHERE id = (SELECT id FROM sessions LIMIT 1)", Token);

        await database.ExecuteAsync(
            await File.ReadAllTextAsync(Repository.File("sql", "schemas", "down", "last-accessed.sql"), Token),
            Token
        );

        var columns = await LinesAsync(database, Columns);
        Assert.Contains("sessions.last_accessed", columns);
        Assert.Contains("sessions.title", columns);
        Assert.DoesNotContain("messages.token_count", columns);
        Assert.Equal(40, await database.ScalarAsync<long>("SELECT count(last_accessed) FROM sessions", Token));
    }

    private async Task<TestDatabase> OwnersAsync(string preset)
    {
        var database = await TestDatabase.CreateAsync(servers, Token);
        await database.ExecuteAsync(await ReadAsync(preset), Token);
        return database;
    }

    private static Task<string> ReadAsync(string name) =>
        File.ReadAllTextAsync(Repository.File("tests", "Testing", "applications", $"{name}.sql"), Token);

    private static async Task<HashSet<string>> LinesAsync(TestDatabase database, string query) =>
        [.. (await database.CopyOutAsync(query, Token)).Split('\n', StringSplitOptions.RemoveEmptyEntries)];

    /// <summary>Every row in the columns that the owners know, whatever was added.</summary>
    private static async Task<(string Sessions, string Messages)> RowsAsync(TestDatabase database)
    {
        var chat = await database.ScalarAsync<bool>("SELECT to_regclass('chat_sessions') IS NOT NULL", Token) ? "chat_" : "";
        const string without = " - ARRAY['last_accessed', 'user_id', 'title', 'token_count', 'meta', 'metadata', 'settings', 'tool_calls']";
        return (
            await database.CopyOutAsync($"SELECT to_jsonb(s){without} FROM {chat}sessions AS s ORDER BY 1", Token),
            await database.CopyOutAsync($"SELECT to_jsonb(m){without} FROM {chat}messages AS m ORDER BY 1", Token)
        );
    }
}
