using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Npgsql;

namespace Archiver.Worker.Tests;

/// <summary>
/// What server, database, role, environment and connection string say of a session's settings changes no byte of an archive, nor what comes
/// back.
/// </summary>
public sealed class PinnedSettingsTests(TestServers servers)
{
    /// <summary>A message with a value of each type whose text hangs on a setting, in columns added to the application's own.</summary>
    private const string Odd = """
        CREATE SCHEMA odd;
        CREATE TYPE odd.mood AS ENUM ('so so');
        ALTER TABLE chat_messages ADD COLUMN at timestamptz, ADD COLUMN day date, ADD COLUMN span interval, ADD COLUMN number float8,
          ADD COLUMN bytes bytea,
          ADD COLUMN markup xml, ADD COLUMN list text[], ADD COLUMN mood odd.mood;
        UPDATE chat_messages SET content = 'Grüße', at = '2026-03-04 05:06:07+00', day = '2026-03-04',
          span = '1 year 2 mons -3 days 04:05:06', number = 0.1::float8 + 0.2,
          bytes = '\x00ff5c', markup = 'a<b/>', list = ARRAY['a', NULL], mood = 'so so';
        """;

    private static readonly (string Column, string Json)[] Expected =
    [
        ("content", "\"Grüße\""),
        ("at", "\"2026-03-04T05:06:07Z\""),
        ("day", "\"2026-03-04\""),
        ("span", "\"1 year 2 mons -3 days +04:05:06\""),
        ("number", "0.30000000000000004"),
        ("bytes", "\"\\\\x00ff5c\""),
        ("markup", "\"a<b/>\""),
        ("list", "\"{a,NULL}\""),
        ("mood", "\"so so\""),
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("TimeZone", "'Asia/Kolkata'")]
    [InlineData("DateStyle", "'SQL, DMY'")]
    [InlineData("IntervalStyle", "'iso_8601'")]
    [InlineData("extra_float_digits", "-10")]
    [InlineData("bytea_output", "'escape'")]
    [InlineData("xmloption", "'document'")]
    [InlineData("array_nulls", "off")]
    [InlineData("quote_all_identifiers", "on")]
    [InlineData("search_path", "odd, public")]
    public async Task A_default_of_the_database_changes_nothing(string setting, string value)
    {
        await using var archiver = await CreateAsync();
        await SetAsync(archiver, $"{setting} = {value}");
        archiver.Database.DataSource.Clear();

        await AssertRoundTripAsync(archiver, new Dictionary<string, string?>());
    }

    [Fact]
    public async Task Npgsqls_environment_changes_nothing()
    {
        await using var archiver = await CreateAsync();

        await AssertRoundTripAsync(
            archiver,
            new Dictionary<string, string?>
            {
                ["PGCLIENTENCODING"] = "LATIN1",
                ["PGTZ"] = "Asia/Kolkata",
                ["PGTARGETSESSIONATTRS"] = "primary",
                ["PGOPTIONS"] =
                    "-c DateStyle=SQL,DMY -c IntervalStyle=iso_8601 -c extra_float_digits=-10 -c bytea_output=escape -c "
                    + "search_path=odd,public -c statement_timeout=30s",
            }
        );
    }

    [Theory]
    [InlineData("Client Encoding=LATIN1;Encoding=iso-8859-1")]
    [InlineData("Timezone=Asia/Kolkata;Options=-c DateStyle=SQL -c IntervalStyle=iso_8601 -c client_encoding=LATIN1")]
    [InlineData("Search Path=odd,public")]
    [InlineData("Multiplexing=true")]
    [InlineData("Pooling=false")]
    [InlineData("No Reset On Close=true;Max Auto Prepare=20;Auto Prepare Min Usages=1")]
    [InlineData("Array Nullability Mode=Always;Load Table Composites=true;Server Compatibility Mode=NoTypeLoading")]
    [InlineData("Command Timeout=1;Timeout=0;Cancellation Timeout=0;Keepalive=1")]
    [InlineData("Replication Mode=Logical")]
    [InlineData("Target Session Attributes=primary")]
    [InlineData("Persist Security Info=true;Log Parameters=true;Include Error Detail=true")]
    public async Task A_connection_string_of_another_application_changes_nothing(string more)
    {
        await using var archiver = await CreateAsync();
        archiver.With("Sources:main:ConnectionString", $"{archiver.Database.ConnectionString};{more}");

        await AssertRoundTripAsync(archiver, new Dictionary<string, string?>());
    }

    /// <summary>
    /// Deleting is not allowed to trust what it verified: a condition of the policy itself sets another encoding for the export.
    /// </summary>
    [Fact]
    public async Task What_is_not_UTF_8_is_not_verified_and_nothing_is_deleted()
    {
        await using var archiver = await CreateAsync();
        archiver.With("Sources:main:Policies:idle:Where", "set_config('client_encoding', 'LATIN1', true) IS NOT NULL");
        var before = await archiver.RowsAsync();

        var result = await RunAsync(archiver, new Dictionary<string, string?>(), "archive");

        Assert.Equal(1, result.ExitCode);
        Assert.Equal(before, await archiver.RowsAsync());
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'"));
        Assert.Equal("object differs", await archiver.Database.ScalarAsync<string>("SELECT reason FROM archiver.quarantine"));
    }

    /// <summary>
    /// A pool that resets nothing, as behind a pooler, keeps what a trigger of the application sets for good; the next batch must not.
    /// </summary>
    [Fact]
    public async Task What_a_trigger_does_to_the_encoding_is_gone_with_its_transaction()
    {
        await using var archiver = await CreateAsync(idle: 6);
        await archiver.Database.ExecuteAsync(
            """
            CREATE FUNCTION latin() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('client_encoding', 'LATIN1',
              false); RETURN NULL; END $$;
            CREATE TRIGGER latin AFTER DELETE ON chat_sessions FOR EACH ROW EXECUTE FUNCTION latin();
            """
        );
        archiver
            .With("Sources:main:ConnectionString", $"{archiver.Database.ConnectionString};No Reset On Close=true")
            .With("Batch:Sessions", "1");
        var before = await archiver.RowsAsync();

        var archived = await archiver.RunAsync("archive");
        var restored = await archiver.RunAsync("restore", "--from", "2000-01-01");

        Assert.True((archived.ExitCode, restored.ExitCode) == (0, 0), archived.Error + archived.Output + restored.Error + restored.Output);
        Assert.Equal(before, await archiver.RowsAsync());
    }

    /// <summary>A backslash is a backslash, and the planner compiles nothing.</summary>
    [Theory]
    [InlineData("standard_conforming_strings", "off", @"s.session_title = 'a\tb'")]
    [InlineData("jit", "on", "current_setting('jit') = 'off'")]
    [InlineData(
        "lc_monetary",
        "'C.UTF-8'",
        "current_setting('lc_monetary') = 'C' OR current_setting('transaction_isolation') <> 'repeatable read'"
    )]
    public async Task A_condition_of_a_policy_means_the_same_everywhere(string setting, string value, string where)
    {
        await using var archiver = await CreateAsync();
        await archiver.Database.ExecuteAsync(@"UPDATE chat_sessions SET session_title = E'a\\tb'");
        await SetAsync(archiver, $"{setting} = {value}");

        var result = await RunAsync(archiver.With("Sources:main:Policies:idle:Where", where), new Dictionary<string, string?>(), "archive");

        Assert.Equal((0, 0L), (result.ExitCode, await archiver.LiveSessionsAsync()));
    }

    private async Task<Installation> CreateAsync(int idle = 1)
    {
        var archiver = await Installation.CreateAsync(servers, Token, idle, young: 0, messages: 1);
        await archiver.Database.ExecuteAsync(Odd);
        // The test server's own defaults are odd: here each test has one odd setting, which nothing else stands for.
        foreach (
            var setting in (string[])
                [
                    "TimeZone = 'UTC'",
                    "DateStyle = 'ISO, YMD'",
                    "IntervalStyle = 'postgres'",
                    "bytea_output = 'hex'",
                    "extra_float_digits = 1",
                ]
        )
            await SetAsync(archiver, setting);
        return archiver;
    }

    private static Task<int> SetAsync(Installation archiver, string setting) =>
        archiver.Database.ExecuteAsync(
            $"ALTER DATABASE {new NpgsqlConnectionStringBuilder(archiver.Database.ConnectionString).Database} SET {setting}"
        );

    private static async Task AssertRoundTripAsync(Installation archiver, Dictionary<string, string?> variables)
    {
        var before = await archiver.RowsAsync();
        var archived = await RunAsync(archiver, variables, "archive");
        Assert.True(archived.ExitCode == 0, archived.Error);
        Assert.Equal(0, await archiver.LiveSessionsAsync());

        var key = Assert.Single(await archiver.Bucket.ListKeysAsync("chat_archives/2"));
        await using var gzip = new GZipStream(new MemoryStream(await archiver.Bucket.GetRawAsync(key)), CompressionMode.Decompress);
        using var text = new StreamReader(gzip, new UTF8Encoding(false, throwOnInvalidBytes: true));
        using var document = JsonDocument.Parse(await text.ReadToEndAsync(Token));
        var message = document.RootElement.GetProperty("messages")[0];
        Assert.Equal(Expected, Expected.Select(e => (e.Column, message.GetProperty(e.Column).GetRawText())));
        Assert.Equal(
            "odd.mood",
            document.RootElement.GetProperty("tables").GetProperty("messages").GetProperty("columns").GetProperty("mood").GetString()
        );

        var id = document.RootElement.GetProperty("session").GetProperty("session_id").GetString()!;
        var restored = await RunAsync(archiver, variables, "restore", id);
        Assert.True(restored.ExitCode == 0, restored.Error);
        Assert.Equal(before, await archiver.RowsAsync());
    }

    // With variables in a process of its own: the driver reads those of the process that it is in.
    private static async Task<ProcessResult> RunAsync(
        Installation archiver,
        Dictionary<string, string?> variables,
        params string[] arguments
    )
    {
        if (variables.Count == 0)
            return await archiver.RunAsync(arguments);
        await using var process = archiver.Start(variables, arguments);
        return await process.WaitForExitAsync(Token).WaitAsync(TimeSpan.FromMinutes(3), Token);
    }

    /// <summary>Foreign keys hold in a restore, be it that the server's own default switches them off.</summary>
    [Fact]
    public async Task A_restore_checks_foreign_keys_whatever_the_replication_role()
    {
        await using var archiver = await CreateAsync();
        await archiver.Database.ExecuteAsync(
            "CREATE TABLE people AS SELECT DISTINCT user_id AS id FROM chat_sessions; ALTER TABLE people "
                + "ADD PRIMARY KEY (id); ALTER TABLE chat_sessions ADD FOREIGN KEY (user_id) REFERENCES people (id)"
        );
        var id = await archiver.Database.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions");
        var archived = await archiver.RunAsync("archive");
        Assert.True(archived.ExitCode == 0, archived.Error);
        await archiver.Database.ExecuteAsync("DELETE FROM people");
        await SetAsync(archiver, "session_replication_role = 'replica'");

        var restored = await archiver.RunAsync("restore", id!);

        Assert.Equal((1, 0L), (restored.ExitCode, await archiver.LiveSessionsAsync()));
    }

    /// <summary>
    /// A policy that comes between inspection and export: a hidden message would stay, without its session and without a copy.
    /// </summary>
    [Fact]
    public async Task Rows_that_row_security_hides_are_an_error_and_not_absent()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0, messages: 4, ledger: false);
        await archiver.Database.ExecuteAsync(
            """
            DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE chat_messages DROP CONSTRAINT %I', conname) FROM pg_constraint
              WHERE conrelid = 'chat_messages'::regclass AND contype = 'f'); END $$
            """
        );
        await using var role = await TestRole.CreateAsync(
            archiver.Database,
            """
            GRANT SELECT, DELETE, UPDATE ON chat_sessions, chat_messages TO {0}; CREATE SCHEMA archiver AUTHORIZATION {0}
            """
        );
        archiver.With("Sources:main:ConnectionString", role.ConnectionString);
        var before = await archiver.RowsAsync();
        var reached = InProcessFault.Once("archive.selected", async () =>
            await archiver.Database.ExecuteAsync(
                "ALTER TABLE chat_messages ENABLE ROW LEVEL SECURITY; CREATE POLICY every_other ON chat_messages USING (id % 2 = 0)"
            )
        );

        var result = await archiver.RunAsync("archive");

        Assert.True(reached());
        Assert.Equal(1, result.ExitCode);
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM pg_policy"));
        Assert.Equal(before, await archiver.RowsAsync());
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");
    }

    /// <summary>
    /// Where the server's commits do not wait for its disk, those that promise something do: the WAL writer, who would flush the others,
    /// stands still.
    /// </summary>
    [Fact]
    public async Task What_a_verb_has_promised_survives_a_crash_of_a_server_whose_commits_do_not_wait()
    {
        await using var server = await PostgresServer.StartAsync(Token, "synchronous_commit = off");
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0, postgres: server.ConnectionString);
        Assert.Equal(0, (await archiver.RunAsync("archive", "--max-sessions", "1")).ExitCode);
        var id = (await archiver.Database.ScalarAsync<string>("SELECT session_id FROM archiver.archives"))!;

        await CrashAfterAsync("pause", "main/idle");
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.pauses"));
        await CrashAfterAsync("hold", "add", "--session", id, "--reason", "case 7");
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.holds"));
        await CrashAfterAsync("restore", id);
        Assert.Equal(2, await archiver.LiveSessionsAsync());

        async Task CrashAfterAsync(params string[] verb)
        {
            var writer = await archiver.Database.ScalarAsync<int>("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'");
            await using (
                var stop = ChildProcess.Start("kill", ["-STOP", writer.ToString(System.Globalization.CultureInfo.InvariantCulture)])
            )
                await stop.WaitForExitAsync(Token);
            var result = await archiver.RunAsync(verb);
            Assert.True(result.ExitCode == 0, result.Error);
            await server.KillAsync(Token);
            await server.StartAgainAsync(Token);
            archiver.Database.DataSource.Clear();
        }
    }
}
