using System.Globalization;
using Archiver.Testing;
using static Archiver.Worker.Tests.Query.Queries;

namespace Archiver.Worker.Tests.Query;

/// <summary>SQL over what was archived, through the command line.</summary>
public sealed class QueryVerbTests(TestServers servers)
{
    public static TheoryData<string, string> Everything =>
        [
            .. from preset in new[] { "ended-at", "last-accessed", "status-expiry", "soft-delete" }
            from layout in new[] { "Session", "Bundle" }
            select (preset, layout),
        ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Everything))]
    public async Task Answers_with_what_the_rows_were(string preset, string layout)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 25, young: 0, messages: 5, preset: preset);
        archiver.With("Storage:Layout", layout);
        var (sessions, messages) = preset is "ended-at" or "soft-delete" ? ("chat_sessions", "chat_messages") : ("sessions", "messages");
        await archiver.Database.ExecuteAsync(
            $"SET session_replication_role = replica; UPDATE {sessions} SET metadata = CASE WHEN random() "
                + "< 0.5 THEN 'null'::jsonb END WHERE random() < 0.5"
        );
        var before = (
            await EqualRows.InTablesAsync(archiver.Database, sessions),
            await EqualRows.InTablesAsync(archiver.Database, messages)
        );

        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);

        Assert.Equal(0, await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM {sessions}"));
        Assert.Empty(before.Item1.Except(await EqualRows.InViewAsync(archiver, "sessions", before.Item1)));
        Assert.Empty(before.Item2.Except(await EqualRows.InViewAsync(archiver, "messages", before.Item2)));
    }

    [Fact]
    public async Task Keeps_every_type_exactly_or_as_text()
    {
        await using var archiver = await Installation.CreateAsync(
            servers,
            """
            CREATE DOMAIN grade AS integer;
            CREATE TABLE chat (id bigint PRIMARY KEY, owner text, last_seen timestamptz NOT NULL);
            CREATE TABLE msg (id bigint PRIMARY KEY, chat_id bigint NOT NULL REFERENCES chat, created_at timestamp NOT NULL, b boolean,
              i2 smallint, i8 bigint, r real, d double precision, n numeric, p numeric(12,3), nan numeric(6,2),
              day date, late date, clock time, z timestamptz, bc timestamptz, u uuid, raw bytea, js json, jb jsonb, tags text[],
                span int4range, grade grade, "Mixed" text, "mixed" text, t text);
            CREATE INDEX ON msg (chat_id);
            INSERT INTO chat SELECT i, 'u' || i, now() - interval '200 days' FROM generate_series(1, 2) AS i;
            INSERT INTO msg VALUES (1, 1, '2020-01-02 03:04:05.000006', true, -7, 9007199254740993, 0.1, 'NaN',
              12345678901234567890.12345678901234567890, 123456789.001, 1.5,
              '2020-02-29', 'infinity', '23:59:59.999999', '2020-01-02 03:04:05.123456+02', '0044-03-15 12:00:00+00 BC',
                '0b9c6a52-4a3c-4d0b-9a52-0f6f3d1c9a10', '\x00ff', ' {"a": 1.10, "a": 2}', 'null', '{a,"b c"}', '[1,5)', 3, 'A', 'a',
                  E'tab\tline\nquote" \\ ü 😀'),
              (2, 1, '2020-01-02', NULL, NULL, NULL, NULL, '-Infinity', NULL, NULL, 'NaN', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                NULL, NULL, NULL, NULL, NULL, NULL, '');
            """,
            Token
        );
        archiver
            .With("Sources:main:Tables:Session:Table", "public.chat")
            .With("Sources:main:Tables:Session:Key", "id")
            .With("Sources:main:Tables:Session:Activity:0", "last_seen")
            .With("Sources:main:Tables:Session:User", "owner")
            .With("Sources:main:Tables:Children:messages:Table", "public.msg")
            .With("Sources:main:Tables:Children:messages:Parent", "session")
            .With("Sources:main:Tables:Children:messages:ForeignKey", "chat_id")
            .With("Sources:main:Tables:Children:messages:ParentKey", "id")
            .With("Sources:main:Tables:Children:messages:Key", "id")
            .With("Sources:main:Tables:Children:messages:Order:0", "id");
        var archived = await archiver.RunAsync("archive");
        Assert.True(archived.ExitCode == 0, archived.Error);

        var rows = (
            await QueryAsync(
                archiver,
                "SELECT * EXCLUDE (source, generation, archived_at, object), typeof(p) AS tp, typeof(nan) "
                    + "AS tnan, typeof(z) AS tz, typeof(js) AS tjs FROM messages ORDER BY id"
            )
        ).ToList();

        Assert.Equal(
            """
            {"session_id":"1","id":1,"chat_id":1,"created_at":"2020-01-02T03:04:05.000006","b":true,"i2":-7,"i8":9007199254740993,"r":0.1,"d":"NaN","n":"12345678901234567890.12345678901234567890","p":123456789.001,"nan":"1.50","day":"2020-02-29","late":"infinity","clock":"23:59:59.999999","z":"2020-01-02T01:04:05.123456Z","bc":"0044-03-15 12:00:00+00 BC","u":"0b9c6a52-4a3c-4d0b-9a52-0f6f3d1c9a10","raw":"\\x00ff","js": {"a": 1.10, "a": 2},"jb":null,"tags":"{a,\"b c\"}","span":"[1,5)","grade":"3","Mixed":"A","mixed_2":"a","t":"tab\tline\nquote\" \\ ü \uD83D\uDE00","tp":"DECIMAL(12,3)","tnan":"VARCHAR","tz":"TIMESTAMP WITH TIME ZONE","tjs":"JSON"}
            {"session_id":"1","id":2,"chat_id":1,"created_at":"2020-01-02T00:00:00","d":"-Infinity","nan":"NaN","t":"","tp":"DECIMAL(12,3)","tnan":"VARCHAR","tz":"TIMESTAMP WITH TIME ZONE","tjs":"JSON"}
            """.ReplaceLineEndings("\n"),
            string.Join('\n', rows)
        );
        Assert.Equal(
            ["""{"isnull":1,"jsonnull":1}"""],
            await QueryAsync(
                archiver,
                "SELECT count(*) FILTER (jb IS NULL) AS isnull, count(*) FILTER (jb = 'null') AS jsonnull FROM messages"
            )
        );
    }

    [Fact]
    public async Task Has_the_columns_of_all_documents_when_the_tables_changed()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 4, young: 0, messages: 2);
        await archiver.Database.ExecuteAsync("UPDATE chat_sessions SET session_title = 'title'");
        await archiver.RunAsync("archive", "--max-sessions", "2");
        await archiver.Database.ExecuteAsync(
            "ALTER TABLE chat_messages ADD COLUMN model text DEFAULT 'm1'; ALTER TABLE chat_messages "
                + "ALTER COLUMN token_count TYPE bigint; ALTER TABLE chat_sessions ALTER COLUMN session_title TYPE jsonb USING "
                + "to_jsonb(session_title)"
        );
        await archiver.RunAsync("archive");

        Assert.Equal(
            ["""{"n":8,"models":4,"t":"BIGINT"}"""],
            await QueryAsync(archiver, "SELECT count(*) AS n, count(model) AS models, any_value(typeof(token_count)) AS t FROM messages")
        );
        Assert.Equal(
            ["""{"n":4,"t":"VARCHAR","quoted":2}"""],
            await QueryAsync(
                archiver,
                "SELECT count(*) AS n, "
                    + "any_value(typeof(session_title)) AS t, count(*) FILTER (session_title LIKE '\"%\"') AS quoted FROM sessions"
            )
        );
    }

    [Fact]
    public async Task Prints_tables_and_csv()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0, messages: 2);
        await archiver.RunAsync("archive");

        var table = await archiver.RunAsync("query", "SELECT 1 AS a, NULL AS b, 'x' AS long_name UNION ALL SELECT 22, 'é', 'y' ORDER BY 1");
        var csv = await archiver.RunAsync("query", "SELECT 'a,b' AS x, '' AS \"e,\", NULL AS n, 'say \"hi\"' AS q", "--csv");
        var twice = await archiver.RunAsync("query", "SELECT 1 AS a, 2 AS a", "--json");
        var ordered = await archiver.RunAsync("query", "SELECT i FROM range(300000) AS r (i) ORDER BY i DESC", "--csv");

        Assert.Equal("a   b     long_name\n1   NULL  x\n22  é     y\n", table.Output);
        Assert.Equal("x,\"e,\",n,q\r\n\"a,b\",\"\",,\"say \"\"hi\"\"\"\r\n", csv.Output);
        Assert.Equal("{\"a\":1,\"a_1\":2}\n", twice.Output);
        Assert.Equal(
            Enumerable.Range(0, 300_000).Reverse().Select(i => i.ToString(CultureInfo.InvariantCulture)),
            ordered.Output.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1)
        );
        Assert.Contains("To be fetched: 1 archive in 1 object, ", table.Error, StringComparison.Ordinal);
    }

    // ESC, a title; C1, a CSI; what a message says must not steer the terminal of the person who reads it.
    [Fact]
    public async Task Csv_is_as_the_text_is_for_a_program_and_without_control_characters_on_a_terminal()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0, messages: 1);
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_messages SET content = E'\\x1b]0;owned\\x07 ' || chr(155) || E'2J\\r\\nsecond, line'"
        );
        await archiver.RunAsync("archive");

        var redirected = await archiver.RunAsync("query", "SELECT content FROM messages", "--csv");
        await using var process = archiver.StartOnTerminal("query 'SELECT content FROM messages' --csv");
        var shown = await process.WaitForExitAsync(Token);

        Assert.Equal("content\r\n\"\u001b]0;owned\u0007 \u009b2J\r\nsecond, line\"\r\n", redirected.Output);
        Assert.Equal(0, shown.ExitCode);
        Assert.Contains("\"\\u001B]0;owned\\u0007 \\u009B2J\\u000D\r\nsecond, line\"", shown.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b]0;", shown.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u009b', shown.Output);
    }
}
