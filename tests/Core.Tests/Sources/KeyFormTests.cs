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
