using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary><c>archiver init</c> on databases that are not a single clean schema.</summary>
public sealed class InitDatabaseTests(TestServers servers)
{
    private const string Chat = """
        CREATE TABLE {0}.conversations (id bigserial PRIMARY KEY, user_id text, title text, created_at timestamptz NOT NULL,
          updated_at timestamptz NOT NULL);
        CREATE TABLE {0}.messages (id bigserial, conversation_id bigint NOT NULL REFERENCES {0}.conversations
          ON DELETE CASCADE, role text, content text, created_at timestamptz NOT NULL, PRIMARY KEY (id, created_at))
          PARTITION BY RANGE (created_at);
        CREATE TABLE {0}.messages_old PARTITION OF {0}.messages FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
        CREATE TABLE {0}.messages_new PARTITION OF {0}.messages FOR VALUES FROM ('2020-01-01') TO (MAXVALUE);
        INSERT INTO {0}.conversations (user_id, title, created_at, updated_at) SELECT 'u', 't', now() - interval '200 days',
          now() - interval '200 days' FROM generate_series(1, 5);
        INSERT INTO {0}.messages (conversation_id, role, content, created_at) SELECT id, 'user', 'hi', created_at FROM {0}.conversations;
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Finds_the_chat_among_a_thousand_tables_and_its_partitions_count_as_one()
    {
        await using var desk = await InitDesk.CreateAsync(
            servers,
            In("public")
                + """
                DO $$ BEGIN FOR i IN 1..1000 LOOP EXECUTE format('CREATE TABLE data_%s (id int PRIMARY KEY, session_ref int, name text, created_at timestamptz)', i); END LOOP; END $$;
                """
        );

        var result = await desk.InitAsync();

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("1002 tables", result.Output, StringComparison.Ordinal);
        Assert.Contains("takes 5 of 5 sessions", result.Output, StringComparison.Ordinal);
        // An index of a partitioned table is made partition by partition, or it would lock all of them.
        Assert.Equal(3, InitDesk.Statements(result).Count(s => s.StartsWith("CREATE INDEX CONCURRENTLY", StringComparison.Ordinal)));
        var role = await desk.FollowAsync(result);
        Assert.Equal(0, (await desk.ArchiverAsync(role, "migrate")).ExitCode);
        var archive = await desk.ArchiverAsync(role, "archive");
        Assert.True(archive.ExitCode == 0, archive.Error);
        Assert.Contains("5 sessions archived", archive.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_role_that_sees_one_schema_gets_the_chat_in_it()
    {
        await using var desk = await InitDesk.CreateAsync(servers, $"CREATE SCHEMA crm; CREATE SCHEMA app; {In("crm")} {In("app")}");
        await using var role = await TestRole.CreateAsync(
            desk.Database,
            "GRANT USAGE ON SCHEMA app TO {0}; GRANT SELECT ON ALL TABLES IN SCHEMA app TO {0}"
        );

        var result = await desk.RunAsync("init", "--connection", role.ConnectionString, "--yes", "--folder", "/archive");

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("\"Table\": \"app.conversations\"", await File.ReadAllTextAsync(desk.File, Token), StringComparison.Ordinal);
        Assert.Contains("may not read 2 of 4 tables", result.Output, StringComparison.Ordinal);
        // It may only read; what a run needs is said, and is among the statements.
        Assert.Contains("it would refuse:", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_two_schemas_with_the_same_application_it_asks()
    {
        await using var desk = await InitDesk.CreateAsync(servers, $"CREATE SCHEMA one; CREATE SCHEMA two; {In("one")} {In("two")}");

        var result = await desk.RunAsync("init", "--connection", desk.Database.ConnectionString, "--folder", "/archive");

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("--sessions one.conversations or --sessions two.conversations", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_that_somebody_has_locked_does_not_hold_it_up()
    {
        await using var desk = await InitDesk.CreateAsync(
            servers,
            In("public") + "CREATE TABLE post_history (id int PRIMARY KEY, updated_at bigint);"
        );
        await using var other = await desk.Database.DataSource.OpenConnectionAsync(Token);
        await using var transaction = await other.BeginTransactionAsync(Token);
        await using var locking = other.CreateCommand();
        locking.CommandText = "LOCK TABLE post_history IN ACCESS EXCLUSIVE MODE";
        await locking.ExecuteNonQueryAsync(Token);

        var result = await desk.InitAsync();

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("takes 5 of 5 sessions", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changes_nothing_in_the_database()
    {
        const string Everything = """
            SELECT concat_ws(' ', (SELECT string_agg(oid || relname || xmin, ',' ORDER BY oid) FROM pg_class
              WHERE relnamespace::regnamespace::text !~ '^pg_'),
              (SELECT string_agg(nspname, ',' ORDER BY oid) FROM pg_namespace
                WHERE nspname !~ '^pg_(temp|toast)'), (SELECT string_agg(relacl::text, ',' ORDER BY oid) FROM pg_class
                  WHERE relacl IS NOT NULL AND relnamespace = 'public'::regnamespace))
            """;
        await using var desk = await InitDesk.CreateAsync(servers, In("public"));
        var (before, rows) = (await desk.Database.ScalarAsync<string>(Everything, Token), await desk.RowsAsync());

        Assert.Equal(0, (await desk.InitAsync()).ExitCode);

        Assert.Equal(before, await desk.Database.ScalarAsync<string>(Everything, Token));
        Assert.Equal(rows, await desk.RowsAsync());
        Assert.Equal(0, await desk.Database.ScalarAsync<long>($"SELECT count(*) FROM pg_roles WHERE rolname = '{desk.Role}'", Token));
    }

    [Theory]
    [InlineData("has no tables", "SELECT")]
    [InlineData(
        "no column says when a message was written",
        "CREATE TABLE message_store (id serial PRIMARY KEY, session_id text NOT NULL, message text NOT NULL)"
    )]
    [InlineData(
        "looks like chat sessions",
        "CREATE TABLE orders (id int PRIMARY KEY, created_at timestamptz); CREATE TABLE order_items "
            + "(id int PRIMARY KEY, order_id int REFERENCES orders)"
    )]
    [InlineData(
        "looks like chat sessions",
        "CREATE TABLE django_session (session_key text PRIMARY KEY, session_data text, expire_date timestamptz)"
    )]
    public async Task Where_there_is_no_chat_it_says_so_and_writes_nothing(string said, string schema)
    {
        await using var desk = await InitDesk.CreateAsync(servers, schema);

        var result = await desk.InitAsync();

        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains(said, result.Error, StringComparison.Ordinal);
        Assert.Contains("--sessions <table>", result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(desk.Folder));
    }

    private static string In(string schema) => Chat.Replace("{0}", schema, StringComparison.Ordinal);
}
