using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Tests.Sources;

public sealed class KeyFormTests
{
    private const string Parsed = "(CASE WHEN k.id LIKE '[\"%' THEN k.id::json END)";

    [Fact]
    public void A_key_of_one_column_is_its_own_id_and_costs_nothing()
    {
        var (map, shape) = Of("id", ("id", "uuid"));
        var form = KeyForm.Of(map, shape);

        Assert.Equal("uuid", form.Type);
        Assert.Equal("s.\"id\"", form.Of("s").Id);
        Assert.Equal("s.\"id\" = k.id", form.Of("s").Is(form.Parse("k.id")));
        Assert.Equal("s.\"id\" = ANY ($1::uuid[])", KeyMatch.Among(form, "$1").Sql(form.Of("s")));
        Assert.Equal("t.\"chat\" = ANY ($1::uuid[])", SessionPath.Of(map, shape, map.Children[0]).Where(KeyMatch.Among(form, "$1")));
        Assert.Equal(
            "t.\"chat\" IN (SELECT s.\"id\" FROM x)",
            SessionPath.Of(map, shape, map.Children[0]).Where(KeyMatch.In(form.Of("s"), "FROM x"))
        );
    }

    [Fact]
    public void Several_columns_are_compared_one_by_one_and_are_one_text_outside()
    {
        var (map, shape) = Of(["app", "no", "at"], ("app", "character varying"), ("no", "bigint"), ("at", "timestamp with time zone"));
        var form = KeyForm.Of(map, shape);

        Assert.Equal("text", form.Type);
        Assert.StartsWith(
            "to_json(ARRAY[s.\"app\"::text, s.\"no\"::text, CASE WHEN isfinite(s.\"at\") THEN",
            form.Of("s").Id,
            StringComparison.Ordinal
        );
        Assert.Equal(
            $"(s.\"app\", s.\"no\", s.\"at\") = (({Parsed} ->> 0)::character varying, ({Parsed} ->> 1)::bigint, ({Parsed} ->> "
                + "2)::timestamp with time zone)",
            form.Of("s").Is(form.Parse("k.id"))
        );
        Assert.Equal(
            $"(t.\"chat_app\", t.\"chat_no\", t.\"chat_at\") IN (SELECT ({Parsed} ->> 0)::character varying, ({Parsed} ->> 1)::bigint, "
                + $"({Parsed} ->> 2)::timestamp with time zone FROM unnest($1::text[]) AS k (id))",
            SessionPath.Of(map, shape, map.Children[0]).Where(KeyMatch.Among(form, "$1"))
        );
    }

    [Fact]
    public void A_child_that_points_to_the_key_in_another_order_finds_the_same_columns()
    {
        var (map, shape) = Of(["app", "no"], ("app", "text"), ("no", "bigint"));
        var child = map.Children[0] with { ForeignKey = ["n", "a"], ParentKey = ["no", "app"] };

        Assert.Equal(["t.\"a\"", "t.\"n\""], SessionPath.Of(map, shape, child).Key.Values);
    }

    // Each type's own texts, and what another type may have left in the ledger.
    [Theory]
    [InlineData("uuid", "11111111-aaaa-4aaa-8aaa-aaaaaaaaaaa1", "11111111-AAAA-4aaa-8aaa-aaaaaaaaaaa1", "chat-1", "41", "")]
    [InlineData("bigint", "-9223372036854775808", "9223372036854775808", "007", "+7", " 7", "7\n", "7.0", "-0", "chat-1")]
    [InlineData("smallint", "32767", "32768")]
    [InlineData("integer", "0", "2147483648")]
    [InlineData("numeric", "-1234567890123456789012345.5", "7.00", "07", "-0", ".5", "1e3", "7\n", "chat-1")]
    [InlineData("numeric", "0.5", "")]
    [InlineData("numeric", "NaN", "nan")]
    [InlineData("character", "a", "a ")]
    [InlineData("text", "['\"{ ")]
    public void An_id_is_looked_for_where_a_row_can_have_it(string type, string possible, params string[] others)
    {
        var (map, shape) = Of("id", ("id", type));

        Assert.Equal([possible], KeyForm.Of(map, shape).Possible([.. others, possible]));
    }

    [Fact]
    public void An_id_of_several_columns_is_looked_for_where_each_can_have_its_value()
    {
        var (map, shape) = Of(["app", "no", "at"], ("app", "text"), ("no", "bigint"), ("at", "timestamp with time zone"));
        string[] possible =
        [
            """["a","1","2026-01-31T05:06:07.123456Z"]""",
            """["","-1","-infinity"]""",
            """["\n","0","0044-03-15T00:00:00 BCZ"]""",
        ];
        string[] others =
        [
            "a",
            "41",
            """["a","1"]""",
            """["a","x","infinity"]""",
            """["a","1","yesterday"]""",
            """["a","1","2026-13-01"]""",
        ];

        Assert.Equal(possible, KeyForm.Of(map, shape).Possible([.. others, .. possible]));
    }

    [Theory]
    [InlineData("""["a","b"]""", "a", "b")]
    [InlineData(" [ \"a\" , 17 ] ", "a", "17")]
    [InlineData("""["\u00e4\/","\""]""", "ä/", "\"")]
    public void An_id_is_read_however_its_JSON_is_written(string id, params string[] values) =>
        Assert.Equal(values, SessionIdText.Read(id, 2));

    [Theory]
    [InlineData("main")]
    [InlineData("""["a"]""")]
    [InlineData("""["a","b","c"]""")]
    [InlineData("""["a",null]""")]
    [InlineData("""{"a":"b"}""")]
    [InlineData("""["a",["b"]]""")]
    [InlineData("""["a","\ud800"]""")]
    public void What_is_no_id_of_so_many_columns_is_none(string id) => Assert.Null(SessionIdText.Read(id, 2));

    [Fact]
    public void Different_values_have_different_ids()
    {
        string[][] keys =
        [
            ["a", "b"],
            ["a\",\"b", ""],
            ["", "a\",\"b"],
            ["a,b", ""],
            ["a\\", "b"],
            ["a", "\\b"],
            ["", "ab"],
            ["ab", ""],
            ["\n", "\\n"],
            ["\\n", "\n"],
        ];

        Assert.Equal(keys.Length, keys.Select(SessionIdText.Of).Distinct().Count());
        Assert.All(keys, k => Assert.Equal(k, SessionIdText.Read(SessionIdText.Of(k), 2)));
    }

    private static (SourceMap Map, SourceShape Shape) Of(KeyColumns key, params (string Name, string Type)[] columns)
    {
        var map = new SourceMap(
            new()
            {
                Table = new("public", "chats"),
                Key = key,
                Activity = [],
            },
            [
                new()
                {
                    Name = "messages",
                    Table = new("public", "posts"),
                    ForeignKey = key.Only is null ? KeyColumns.Of([.. key.Select(k => $"chat_{k}")]) : "chat",
                    ParentKey = key,
                    Order = [],
                },
            ]
        );
        return (
            map,
            new([
                new(
                    "session",
                    map.Session.Table,
                    1,
                    "",
                    [.. columns.Select(c => new ColumnShape(c.Name, c.Type, c.Type, TableDescriber.KindOf(c.Type), false))]
                ),
            ])
        );
    }
}
