using Archiver.Testing;

namespace Archiver.Integration.Tests.ApplicationSchemas;

/// <summary>What every application schema promises, whatever its columns are called.</summary>
public abstract class ApplicationSchemaTests(ApplicationSchemaData data, SchemaNames names)
{
    // Sessions that tests add belong to this user.
    private const string OfTheSample = "s.user_id IS DISTINCT FROM 'test'";

    // Everything the script creates, as the server would print it.
    private const string Catalog = """
        SELECT 'column' AS kind, attrelid::regclass::text AS owner, attname::text AS name,
               format_type(atttypid, atttypmod) || ' ' || attnotnull || ' ' || coalesce(pg_get_expr(adbin, adrelid), '') AS definition
        FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attnum > 0 AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r')
        UNION ALL
        SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL
        SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL
        SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL
        SELECT 'function', '', proname, pg_get_functiondef(oid)
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
          AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
        ORDER BY kind, owner, name, definition
        """;

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected TestDatabase Database => data.Database;

    [Fact]
    public async Task The_script_run_again_changes_neither_the_schema_nor_a_row()
    {
        var rows = $"SELECT s.xmin, s.* FROM {names.Sessions} s ORDER BY s.{names.Key}";
        var catalogBefore = await Database.CopyOutAsync(Catalog, Token);
        var rowsBefore = await Database.CopyOutAsync(rows, Token);

        await ApplicationSchema.InstallAsync(Database, data.Preset, Token);

        Assert.Contains(names.ArchivingIndex, catalogBefore, StringComparison.Ordinal);
        Assert.Equal(catalogBefore, await Database.CopyOutAsync(Catalog, Token));
        Assert.Equal(rowsBefore, await Database.CopyOutAsync(rows, Token));
    }

    [Fact]
    public async Task The_last_ten_messages_come_from_the_index_in_order()
    {
        var session = await Database.ScalarAsync<Guid>($"SELECT {names.Key} FROM {names.Sessions} ORDER BY {names.Key} LIMIT 1", Token);
        var newest = $"""
            SELECT * FROM {names.Messages}
            WHERE session_id = '{session}'
            ORDER BY {names.NewestFirst}
            LIMIT 10
            """;
        var sorted = $"""
            WITH unordered AS MATERIALIZED (SELECT * FROM {names.Messages} WHERE session_id = '{session}')
            SELECT * FROM unordered
            ORDER BY {names.NewestFirst}
            LIMIT 10
            """;

        await AssertReadsInOrderAsync(newest, names.NewestIndex);
        var messages = await Database.CopyOutAsync(newest, Token);
        Assert.Equal(await Database.CopyOutAsync(sorted, Token), messages);
        Assert.Equal(10, messages.Count(character => character == '\n'));
    }

    [Fact]
    public async Task A_batch_is_selected_from_the_archiving_index_without_a_sort() =>
        await AssertReadsInOrderAsync(
            $"""
            SELECT {names.Key} FROM {names.Sessions}
            WHERE {names.Activity} < (now() - interval '90 days') {names.ActivityZone}
            ORDER BY {names.Activity}, {names.Key}
            LIMIT 1000
            """,
            names.ArchivingIndex
        );

    [Fact]
    public async Task Every_foreign_key_column_leads_an_index()
    {
        var keys = await Database.ScalarAsync<long>("SELECT count(*) FROM pg_constraint WHERE contype = 'f'", Token);
        var bare = await Database.ScalarAsync<string>(
            """
            SELECT string_agg(conname, ', ')
            FROM pg_constraint c
            WHERE contype = 'f'
              AND NOT EXISTS (
                SELECT FROM pg_index i
                WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1] AND i.indisvalid AND i.indpred IS NULL)
            """,
            Token
        );

        Assert.Equal(1, keys);
        Assert.Null(bare);
    }

    [Fact]
    public async Task The_sample_has_as_many_idle_sessions_and_messages_as_asked_for()
    {
        var counts = await Database.CopyOutAsync(
            $"""
            SELECT count(*) FILTER (WHERE {names.Activity} < (now() - interval '90 days') {names.ActivityZone}),
                   count(*) FILTER (WHERE {names.Activity} >= (now() - interval '31 days') {names.ActivityZone}),
                   (SELECT count(*) FROM {names.Messages} m JOIN {names.Sessions} s ON s.{names.Key} = m.session_id WHERE {OfTheSample})
            FROM {names.Sessions} s
            WHERE {OfTheSample}
            """,
            Token
        );

        const int sessions = ApplicationSchemaData.Idle + ApplicationSchemaData.Young;
        Assert.Equal($"{ApplicationSchemaData.Idle}\t{ApplicationSchemaData.Young}\t{sessions * ApplicationSchemaData.Messages}\n", counts);
    }

    [Fact]
    public async Task No_message_of_the_sample_is_newer_than_its_session_or_from_before_it()
    {
        var astray = await Database.ScalarAsync<long>(
            $"""
            SELECT count(*) FROM {names.Messages} m JOIN {names.Sessions} s ON s.{names.Key} = m.session_id
            WHERE {OfTheSample}
              AND (m.{names.MessageTime} > s.{names.Activity} OR m.{names.MessageTime} < s.created_at {names.ActivityZone})
            """,
            Token
        );

        Assert.Equal(0, astray);
    }

    [Fact]
    public async Task The_sample_generated_again_adds_nothing()
    {
        var count = $"SELECT (SELECT count(*) FROM {names.Sessions}) || ' ' || (SELECT count(*) FROM {names.Messages})";
        var before = await Database.ScalarAsync<string>(count, Token);

        await data.GenerateAsync(Token);

        Assert.Equal(before, await Database.ScalarAsync<string>(count, Token));
    }

    [Fact]
    public async Task The_sample_has_what_is_hard_to_keep_apart_or_to_escape()
    {
        var kinds = await Database.ScalarAsync<long>(
            $"""
            SELECT sum(least(n, 1))::bigint
            FROM (
              SELECT count(*) AS n FROM {names.Sessions} WHERE metadata IS NULL
              UNION ALL SELECT count(*) FROM {names.Sessions} WHERE metadata::text = 'null'
              UNION ALL SELECT count(*) FROM {names.Sessions} WHERE user_id IS NULL
              UNION ALL SELECT count(*) FROM {names.Messages} WHERE content LIKE '%😀%'
              UNION ALL SELECT count(*) FROM {names.Messages} WHERE content LIKE '%ß%'
              UNION ALL SELECT count(*) FROM {names.Messages} WHERE content LIKE '%日本語%'
              UNION ALL SELECT count(*) FROM {names.Messages} WHERE strpos(content, E'\r\n') > 0
              UNION ALL SELECT count(*) FROM {names.Messages} WHERE strpos(content, '\') > 0 AND strpos(content, E'\t') > 0
              UNION ALL SELECT count(*) FROM {names.Messages} WHERE strpos(content, '"') > 0 AND strpos(content, '''') > 0
            ) AS kinds
            """,
            Token
        );

        Assert.Equal(9, kinds);
    }

    protected async Task AssertReadsInOrderAsync(string query, string index)
    {
        var plan = await Database.ScalarAsync<string>($"EXPLAIN (FORMAT JSON) {query}", Token);

        Assert.Contains($"\"{index}\"", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
    }
}
