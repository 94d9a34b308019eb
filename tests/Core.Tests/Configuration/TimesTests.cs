using Archiver.Core.Settings;
using static Archiver.Core.Tests.Configuration.Configured;

namespace Archiver.Core.Tests.Configuration;

/// <summary>A time is the name of a column, or a section that says what else is to be known of it.</summary>
public sealed class TimesTests
{
    [Fact]
    public void Reads_names_and_sections_alike()
    {
        var map = Tables(
                """
                { "Session": { "Table": "chat", "Key": "id",
                  "Activity": ["seen", { "column": "updated_at", "as": "epoch-ms", "or": "made" }, { "Column": "touched" }],
                               "Deleted": { "Column": "is_deleted", "At": "updated_at", "As": "EPOCH-S" } },
                  "Children": { "messages": { "Table": "msg", "ForeignKey": "chat_id", "ParentKey": "id", "Order": ["id"],
                    "Time": { "Column": "id", "As": "uuid-v7" } } } }
                """
            )
            .Settings()
            .Sources[0]
            .Map;

        Assert.Equal(["seen", new("updated_at") { As = TimeForm.EpochMilliseconds, Or = "made" }, "touched"], map.Session.Activity);
        Assert.Equal(new("is_deleted") { At = "updated_at", As = TimeForm.EpochSeconds }, map.Session.Deleted);
        Assert.Equal(new("id") { As = TimeForm.UuidV7 }, map.Children[0].Time);
    }

    [Fact]
    public void Takes_sections_from_the_environment_beside_names_from_the_file()
    {
        var session = Tables("""{ "Session": { "Table": "chat", "Key": "id", "Activity": ["seen", "touched"] } }""")
            .And("SOURCES:MAIN:TABLES:SESSION:ACTIVITY:0:AS", "text")
            .And("SOURCES:MAIN:TABLES:SESSION:CREATED:COLUMN", "made")
            .Settings()
            .Sources[0]
            .Map.Session;

        Assert.Equal([new("seen") { As = TimeForm.Text }, "touched"], session.Activity);
        Assert.Equal("made", session.Created);
    }

    [Theory]
    [InlineData("Activity:0:Colum", "x", "Activity:0:Colum: is not a known key; did you mean 'Column'?")]
    [InlineData(
        "Activity:0:Column",
        "x",
        "Activity:0:Column: must not be given together with a value of "
            + "Archiver:Sources:main:Tables:Session:Activity:0 itself, which is short for it"
    )]
    [InlineData(
        "Activity:0:As",
        "epoch",
        "Activity:0:As: must be one of epoch-s, epoch-ms, epoch-us, text, uuid, uuid-v6, uuid-v7, but is 'epoch'"
    )]
    [InlineData(
        "Activity:0:As:x",
        "1",
        "Activity:0:As:x: is not a known key: Archiver:Sources:main:Tables:Session:Activity:0:As takes a single value"
    )]
    [InlineData("Activity:0:At", "x", "Activity:0:At: is for a flag, and this is no role for one: only Ended and Deleted are")]
    [InlineData("Activity:0:Or", "seen", "Activity:0:Or: must be another column than Column")]
    [InlineData("Activity:1", "seen", "Activity:1: must not repeat 'seen'")]
    [InlineData("Activity:1", "", "Activity:1: must not be empty")]
    [InlineData("Activity:1:As", "text", "Activity:1:Column: is required")]
    [InlineData("Created:As", "text", "Created:Column: is required")]
    public void Says_what_is_wrong_where(string key, string value, string says) =>
        Tables("""{ "Session": { "Table": "chat", "Key": "id", "Activity": ["seen"] } }""")
            .And($"Sources:main:Tables:Session:{key}", value)
            .Refused($"Sources:main:Tables:Session:{says}");

    [Fact]
    public void Takes_a_flag_and_a_column_to_fall_back_on_not_together() =>
        Tables(
                """{ "Session": { "Table": "chat", "Key": "id", "Activity": ["seen"], "Deleted": { "Column": "gone", "At": "seen", "Or": "made" } } }"""
            )
            .Refused("Sources:main:Tables:Session:Deleted:Or: must not be given together with At");

    private static Configured Tables(string tables) => SourceJson($$"""{ "ConnectionString": "Host=db", "Tables": {{tables}} }""");
}
