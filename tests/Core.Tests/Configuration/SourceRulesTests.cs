using static Archiver.Core.Tests.Configuration.Configured;

namespace Archiver.Core.Tests.Configuration;

public sealed class SourceRulesTests
{
    private static readonly string Presets = Core.Configuration.Presets.List;

    [Theory]
    [InlineData("""{ "Storage": { "Bucket": "archives" } }""")]
    [InlineData("""{ "Sources": {}, "Storage": { "Bucket": "archives" } }""")]
    [InlineData("""{ "Sources": null, "Storage": { "Bucket": "archives" } }""")]
    public void Refuses_a_configuration_without_sources(string json) => Json(json).Refused("Sources: must name at least one source");

    [Fact]
    public void Refuses_a_source_with_neither_preset_nor_tables() =>
        With(SourceKey + "Preset", null).Refused($"Sources:main:Preset: is required unless Tables is given: one of {Presets}");

    [Fact]
    public void Refuses_an_unknown_preset_and_lists_the_known() =>
        With(SourceKey + "Preset", "ended").Refused($"Sources:main:Preset: must be one of {Presets}, but is 'ended'");

    [Fact]
    public void Refuses_a_source_without_connection_string() =>
        With(SourceKey + "ConnectionString", null).Refused("Sources:main:ConnectionString: is required");

    [Theory]
    [InlineData("ConnectionString")]
    [InlineData("ReplicaConnectionString")]
    [InlineData("LockConnectionString")]
    public void Refuses_an_empty_connection_string(string key) =>
        With(SourceKey + key, "").Refused($"Sources:main:{key}: must not be empty");

    [Theory]
    [InlineData("ConnectionString", "postgres://archiver:hunter2@db/chat")]
    [InlineData("ConnectionString", "Host=db;Pasword=hunter2")]
    [InlineData("ConnectionString", "Host=db;Port=hunter2")]
    [InlineData("ReplicaConnectionString", "Host=db;SSL Mode=hunter2")]
    [InlineData("LockConnectionString", "hunter2")]
    public void Refuses_what_is_no_connection_string_and_shows_nothing_of_it(string key, string value) =>
        With(SourceKey + key, value)
            .Refused(
                $"Sources:main:{key}: must be a connection string of Npgsql, such as Host=db;Database=chat;Username=archiver (value not "
                    + "shown)"
            );

    [Fact]
    public void Refuses_a_connection_string_without_host() =>
        With(SourceKey + "ConnectionString", "Database=chat").Refused("Sources:main:ConnectionString: must name a Host (value not shown)");

    [Theory]
    [InlineData("Sources:main:TimeZone", "Mars/Olympus")]
    [InlineData("Sources:main:TimeZone", "")]
    [InlineData("Schedule:TimeZone", "CET+1")]
    public void Refuses_a_time_zone_that_does_not_exist(string key, string value) =>
        With(key, value).Refused($"{key}: must be a time zone of this system, such as UTC or Europe/Berlin, but is '{value}'");

    [Fact]
    public void Keeps_the_time_zone_as_postgresql_knows_it() =>
        Assert.Equal("Europe/Berlin", With(SourceKey + "TimeZone", "Europe/Berlin").Settings().Sources[0].TimeZone);

    [Theory]
    [InlineData("/a", "without slashes at its ends")]
    [InlineData("a/", "without slashes at its ends")]
    [InlineData("/", "without slashes at its ends")]
    [InlineData("a//b", "without empty segments")]
    [InlineData("a/../b", "without the segments . and ..")]
    [InlineData(".", "without the segments . and ..")]
    [InlineData("a\\b", "separated by / and not by \\")]
    public void Refuses_a_prefix_instead_of_mending_it(string value, string limit)
    {
        With(SourceKey + "Prefix", value).Refused($"Sources:main:Prefix: must be {limit}, but is '{value}'");
        With("Storage:Prefix", value).Refused($"Storage:Prefix: must be {limit}, but is '{value}'");
    }

    [Fact]
    public void Refuses_control_characters_in_a_prefix_and_shows_them_readable() =>
        With(SourceKey + "Prefix", "a\nb").Refused("Sources:main:Prefix: must be without control characters, but is 'a\\u000Ab'");

    [Fact]
    public void Refuses_a_prefix_that_leaves_no_room_for_keys()
    {
        With(SourceKey + "Prefix", new string('ä', 256)).Settings();
        Assert.StartsWith(
            "Sources:main:Prefix: must be at most 512 bytes, but is 'ä",
            With(SourceKey + "Prefix", new string('ä', 257)).Problems().Single()
        );
    }

    [Fact]
    public void Refuses_an_empty_prefix() => With("Storage:Prefix", "").Refused("Storage:Prefix: must not be empty");

    [Fact]
    public void Uses_the_prefix_of_the_storage_where_the_source_has_none()
    {
        Assert.Equal("chat_archives", AsItIs().Settings().Sources[0].Prefix);
        Assert.Equal("cold/chats", With("Storage:Prefix", "cold/chats").Settings().Sources[0].Prefix);
        Assert.Equal("own", With("Storage:Prefix", "cold").And(SourceKey + "Prefix", "own").Settings().Sources[0].Prefix);
    }

    [Fact]
    public void Refuses_two_sources_that_share_the_prefix_of_the_storage() =>
        Second(null).Refused("Sources:second:Prefix: must differ from that of source 'main', but both are 'chat_archives'");

    [Fact]
    public void Refuses_two_sources_with_the_same_prefix() =>
        Second("a")
            .And(SourceKey + "Prefix", "a")
            .Refused("Sources:second:Prefix: must differ from that of source 'main', but both are 'a'");

    [Theory]
    [InlineData("a", "a/b")]
    [InlineData("a/b", "a")]
    [InlineData("a", "a/b/c")]
    public void Refuses_a_prefix_below_or_above_another(string first, string second) =>
        Second(second)
            .And(SourceKey + "Prefix", first)
            .Refused($"Sources:second:Prefix: must not lie below or above that of source 'main' ('{first}'), but is '{second}'");

    [Fact]
    public void Takes_prefixes_that_only_begin_alike() =>
        Assert.Equal(["a", "ab"], Second("ab").And(SourceKey + "Prefix", "a").Settings().Sources.Select(s => s.Prefix));

    [Fact]
    public void Refuses_a_prefix_among_the_archivers_own_objects() =>
        With(SourceKey + "Prefix", "a/.archiver")
            .Refused(
                "Sources:main:Prefix: must be without the segment .archiver, where the archiver keeps its own objects, but is 'a/.archiver'"
            );

    [Theory]
    [InlineData("Host=db;Database=chat;Username=other")]
    [InlineData("Host=DB;Port=5432;Database=chat")]
    public void Refuses_two_sources_that_map_a_table_of_one_database(string connection) =>
        With("Sources:second:ConnectionString", connection)
            .And("Sources:second:Preset", "soft-delete")
            .And("Sources:second:Prefix", "b")
            .Refused(
                "Sources:second: maps public.chat_sessions of the same database as source 'main': holds, pauses and locks of one "
                    + "would not protect it from the other. Make it one source with several policies"
            );

    [Fact]
    public void Writes_names_in_small_letters_whatever_provider_wrote_them_last()
    {
        var source = With("SOURCES:MAIN:TIMEZONE", "Europe/Berlin")
            .And("Sources:Main:Policies:IDLE:Order", "7")
            .Settings()
            .Sources.Single();

        Assert.Equal(("main", "Europe/Berlin"), (source.Name, source.TimeZone));
        Assert.Equal(("main/idle", 7), (source.Policies.Single().FullName, source.Policies.Single().Order));
    }

    [Fact]
    public void Refuses_a_source_name_with_a_slash() =>
        Assert.Contains(
            "Sources:a/b: is not a name: no slash, no control character, no blank at its ends",
            With("Sources:a/b:Preset", "ended-at").Problems()
        );

    [Theory]
    [InlineData("""["title", ""]""", "Keep:1: must not be empty")]
    [InlineData("""["title", null]""", "Keep:1: must not be empty")]
    [InlineData("""["title", "title"]""", "Keep:1: must not repeat 'title'")]
    [InlineData("""["ti\u0000tle"]""", "Keep:0: must not hold a NUL character")]
    [InlineData("\"title\"", "Keep: must be a list: [\"a\", \"b\"], or Keep__0 in the environment, but is a single value")]
    [InlineData("""{ "0": "title", "x": "user" }""", "Keep:x: is not a known key; the keys of a list are 0, 1, 2, ...")]
    public void Refuses_a_list_of_columns_that_is_none(string keep, string problem) =>
        SourceJson($$"""{ "ConnectionString": "Host=db", "Preset": "ended-at", "Keep": {{keep}} }""").Refused($"Sources:main:{problem}");

    [Fact]
    public void Takes_a_source_without_policies_for_reading_its_archives() =>
        Assert.Empty(SourceJson("""{ "ConnectionString": "Host=db", "Preset": "ended-at" }""").Settings().Sources[0].Policies);

    private static Configured Second(string? prefix)
    {
        var configured = With("Sources:second:ConnectionString", "Host=db2").And("Sources:second:Preset", "soft-delete");
        return prefix is null ? configured : configured.And("Sources:second:Prefix", prefix);
    }
}
