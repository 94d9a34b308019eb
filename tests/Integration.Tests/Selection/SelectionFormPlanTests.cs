using Archiver.Core.Inspection;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Testing;
using static Archiver.Integration.Tests.Selection.LargeTables;

namespace Archiver.Integration.Tests.Selection;

/// <summary>A batch comes from the index where times are no timestamps, sessions have no row, or an activity may be unset.</summary>
public sealed class SelectionFormPlanTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>
    /// Column type, form, a row number <c>n</c>'s time as the application writes it, and the same of the last row of a page.
    /// </summary>
    public static TheoryData<string, TimeForm, string, string> Forms =>
        new()
        {
            { "bigint", TimeForm.EpochMilliseconds, "(extract(epoch FROM {0}) * 1000)::bigint", "1000000000000" },
            { "double precision", TimeForm.EpochSeconds, "extract(epoch FROM {0})::float8", "1000000000.123456" },
            { "numeric", TimeForm.EpochMicroseconds, "extract(epoch FROM {0}) * 1000000", "1000000000123456" },
            { "text", TimeForm.Text, "to_char({0}, 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')", "2001-09-09T01:46:40.000Z" },
            {
                "uuid",
                TimeForm.UuidV7,
                "(lpad(to_hex((extract(epoch FROM {0}) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid",
                "00e8d4a5-1000-7000-8000-000000000000"
            },
            {
                "text",
                TimeForm.UuidV6,
                "'1e' || lpad(to_hex(15728639 - n * 16 / 10), 6, '0') || '-0000-6000-8000-000000000000'",
                "1d000000-0000-6000-8000-000000000000"
            },
        };

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Reads_a_batch_from_the_index_of_a_column_whose_times_are_no_timestamps(
        string type,
        TimeForm form,
        string value,
        string last
    )
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1, messages: 1, preset: "ended-at");
        await archiver.Database.ExecuteAsync(
            $"ALTER TABLE chat_sessions ADD COLUMN seen {type}; CREATE INDEX ON chat_sessions (seen, session_id)",
            Token
        );
        await FillAsync(
            archiver,
            "chat_sessions",
            "session_id",
            "seen",
            value.Replace("{0}", "(now() - n * interval '3 minutes')", StringComparison.Ordinal),
            Large / 2
        );
        var map = archiver.Source.Map;
        var source = archiver.Source with { Map = map with { Session = map.Session with { Activity = [new("seen") { As = form }] } } };

        foreach (var after in new[] { null, new PageMark(last, Guid.Empty.ToString()) })
        {
            var plan = await ExplainAsync(archiver, Idle, after, source: source);

            Assert.DoesNotContain("Seq Scan on chat_sessions", plan, StringComparison.Ordinal);
            Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
            Assert.Matches(@"Index Cond: \(.*seen", plan);
        }
    }

    /// <summary>Their keys come from the index, each is dated by it, and a page ends where it is full.</summary>
    [Fact]
    public async Task Reads_a_page_of_sessions_without_a_row_by_the_index_of_their_key()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1, messages: 1, preset: "ended-at");
        await archiver.Database.ExecuteAsync(
            $"""
            CREATE TABLE history (id bigserial PRIMARY KEY, chat text NOT NULL, at timestamptz NOT NULL);
            INSERT INTO history (chat, at) SELECT 'c' || n % {Large / 10}, now() - n * interval '3 minutes'
              FROM generate_series(1, {Large}) AS n;
            CREATE INDEX ON history (chat, at);
            ANALYZE history;
            """,
            Token
        );
        var history = new ChildTable
        {
            Name = "messages",
            Table = new("public", "history"),
            ForeignKey = "chat",
            ParentKey = "chat",
            Key = "id",
            Order = ["id"],
            Time = "at",
        };
        var source = archiver.Source with
        {
            Map = new(
                new()
                {
                    Table = history.Table,
                    From = "messages",
                    Key = "chat",
                    Activity = ["at"],
                },
                [history]
            ),
        };

        foreach (var after in new[] { null, new PageMark("c5", "c5") })
        {
            var plan = await ExplainAsync(archiver, Idle, after, source: source);

            Assert.DoesNotContain("Seq Scan on history", plan, StringComparison.Ordinal);
            Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
            Assert.Contains("Index Only Scan", plan, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Reads_a_batch_from_the_index_that_inspection_advises_for_an_activity_with_another_to_fall_back_on()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1, messages: 1, preset: "ended-at");
        await archiver.Database.ExecuteAsync("ALTER TABLE chat_sessions ADD COLUMN seen bigint, ADD COLUMN made bigint", Token);
        await FillAsync(
            archiver,
            "chat_sessions",
            "session_id",
            "seen, made",
            "CASE n % 3 WHEN 0 THEN 0 WHEN 1 THEN extract(epoch FROM "
                + "now())::bigint - n * 180 END, extract(epoch FROM now())::bigint - n * 180",
            Large / 2
        );
        var map = archiver.Source.Map;
        var source = archiver.Source with
        {
            Map = map with { Session = map.Session with { Activity = [new("seen") { As = TimeForm.EpochSeconds, Or = "made" }] } },
        };
        await using var connection = await archiver.Connections.OpenAsync(Token);
        var warning = Assert.Single((await SourceInspector.InspectAsync(connection, source, Token)).Warnings);
        await archiver.Database.ExecuteAsync(warning[(warning.IndexOf("Fix it with: ", StringComparison.Ordinal) + 13)..], Token);
        await archiver.Database.ExecuteAsync("ANALYZE chat_sessions", Token);

        var plan = await ExplainAsync(archiver, Idle, null, source: source);

        Assert.Empty((await SourceInspector.InspectAsync(connection, source, Token)).Warnings);
        Assert.DoesNotContain("Seq Scan on chat_sessions", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
    }
}
