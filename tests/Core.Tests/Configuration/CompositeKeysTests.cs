using Archiver.Core.Settings;
using static Archiver.Core.Tests.Configuration.Configured;

namespace Archiver.Core.Tests.Configuration;

/// <summary>Keys of several columns as the configuration has them.</summary>
public sealed class CompositeKeysTests
{
    private const string Child = "Sources:main:Tables:Children:messages";

    [Fact]
    public void A_list_is_a_key_of_several_columns_and_a_single_value_a_list_of_one()
    {
        var map = Map("""["a", "b"]""", """["x", "y"]""", """["a", "b"]""", """ "Key": ["x", "y", "n"] """);

        Assert.Equal<KeyColumns>(["a", "b"], map.Session.Key);
        Assert.Equal<KeyColumns>(["x", "y"], map.Children[0].ForeignKey);
        Assert.Equal<KeyColumns>(["x", "y", "n"], map.Children[0].Key!);
        Assert.Equal<KeyColumns>("id", Map("""["id"]""", "\"x\"", "\"id\"", """ "Key": "n" """).Session.Key);
    }

    [Fact]
    public void It_takes_the_place_of_a_presets_key_as_a_whole_and_null_takes_a_childs_away()
    {
        var map = SourceJson(
                """
                { "ConnectionString": "Host=db", "Preset": "google-adk",
                  "Tables": { "Session": { "Key": "id" },
                    "Children": { "messages": { "ForeignKey": "session_id", "ParentKey": "id", "Key": null } } } }
                """
            )
            .Settings()
            .Sources[0]
            .Map;

        Assert.Equal<KeyColumns>("id", map.Session.Key);
        Assert.Equal<KeyColumns>("session_id", map.Children[0].ForeignKey);
        Assert.Null(map.Children[0].Key);
    }

    [Theory]
    [InlineData(
        """["x"]""",
        """["a", "b"]""",
        "",
        $"{Child}:ForeignKey: must have as many columns as ParentKey, column by column, but has 1, and ParentKey has 2"
    )]
    [InlineData("""["x", "x"]""", """["a", "b"]""", "", $"{Child}:ForeignKey:1: must not repeat 'x'")]
    [InlineData("""["x", ""]""", """["a", "b"]""", "", $"{Child}:ForeignKey:1: must not be empty")]
    [InlineData("""["x", "y"]""", """["a", "b"]""", """ "Cast": "text" """, $"{Child}:Cast: is for a ForeignKey of one column")]
    public void What_cannot_be_meant_is_said(string foreignKey, string parentKey, string more, string problem) =>
        Json("""["a", "b"]""", foreignKey, parentKey, more).Refused(problem);

    [Fact]
    public void A_value_and_a_list_at_once_are_refused() =>
        With("Sources:main:Tables:Session:Key", "id")
            .And("Sources:main:Tables:Session:Key:0", "a")
            .Refused("Sources:main:Tables:Session:Key: must be a single value or a list, but is given as both");

    [Fact]
    public void Sessions_without_a_row_have_a_key_of_one_column() =>
        SourceJson(
                """
                { "ConnectionString": "Host=db", "Tables": { "Session": { "From": "messages", "Key": ["a", "b"], "Activity": ["t"] },
                  "Children": { "messages": { "Table": "m", "Order": ["id"] } } } }
                """
            )
            .Refused("Sources:main:Tables:Session:Key: must be one column: with From a session is every value of it that occurs");

    private static SourceMap Map(string key, string foreignKey, string parentKey, string more) =>
        Json(key, foreignKey, parentKey, more).Settings().Sources[0].Map;

    private static Configured Json(string key, string foreignKey, string parentKey, string more) =>
        SourceJson(
            $$"""
            { "ConnectionString": "Host=db", "Tables": { "Session": { "Table": "s", "Key": {{key}}, "Activity": ["t"] },
              "Children": { "messages": { "Table": "m", "ForeignKey": {{foreignKey}}, "ParentKey": {{parentKey}},
                "Order": ["id"]{{(more.Length == 0 ? "" : ",")}} {{more}} } } } }
            """
        );
}
