using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;

namespace Archiver.Core.Tests.Sources;

public sealed class PresetsTests
{
    [Theory]
    [InlineData(
        "ended-at",
        "public.chat_sessions session_id - last_activity user_id created_at ended_at - - - archived archive_location",
        "public.chat_messages session session_id->session_id id timestamp,id timestamp -"
    )]
    [InlineData(
        "last-accessed",
        "public.sessions id - last_accessed,updated_at user_id created_at - - expires_at - - -",
        "public.messages session session_id->id id created_at,id created_at -"
    )]
    [InlineData(
        "status-expiry",
        "public.sessions id session_id updated_at user_id created_at - - expires_at status - -",
        "public.messages session session_id->id id created_at,id created_at -"
    )]
    [InlineData(
        "soft-delete",
        "public.chat_sessions id - last_activity user_id created_at - deleted_at - - - -",
        "public.chat_messages session session_id->id id sequence,timestamp,id timestamp deleted_at"
    )]
    public void Maps_the_schema_of_its_name(string name, string session, string messages)
    {
        var (s, children) = Presets.Get(name).Map;
        var c = Assert.Single(children);

        Assert.Equal(
            session,
            Line(
                s.Table,
                s.Key,
                s.ExternalId,
                string.Join(',', s.Activity),
                s.User,
                s.Created,
                s.Ended,
                s.Deleted,
                s.Expires,
                s.Status,
                s.Archived,
                s.ArchiveLocation
            )
        );
        Assert.Equal(
            messages,
            Line(c.Table, c.Parent, $"{c.ForeignKey}->{c.ParentKey}", c.Key, string.Join(',', c.Order), c.Time, c.Deleted)
        );
        Assert.Equal(SourceMap.MessagesName, c.Name);
    }

    public static TheoryData<string> Names => [.. Presets.Names];

    /// <summary>Each is read only when it is asked for, so a mistake in one would show late.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Every_preset_says_what_it_is_for_and_maps_its_messages(string name)
    {
        var preset = Presets.Get(name);

        Assert.All([preset.Application, preset.Version, preset.Source, preset.Notes], text =>
            Assert.False(string.IsNullOrWhiteSpace(text))
        );
        Assert.Single(preset.Map.Children, c => c.Name == SourceMap.MessagesName);
        // Every path names a part that the map has.
        Assert.Equal(preset.Map.Optional, OptionalPart.Of(preset.Map).Select(p => p.Path));
        // What it takes it does not leave.
        Assert.Empty(preset.Leaves.Intersect(preset.Map.Children.Select(c => c.Table).Append(preset.Map.Session.Table)));
    }

    [Theory]
    [InlineData(
        """{ "Application": "a", "Version": "1", "Source": "s", "Notes": "n", "Tables": { "Session": { "Table": "t", "Key": "id", "Activty": ["x"] } } }""",
        "Activty: is not a known key"
    )]
    [InlineData(
        """{ "Application": "a", "Version": "1", "Source": "s", "Notes": "n", "Tables": { "Session": { "Table": "t", "Key": "id" } } }""",
        "Activity: is required"
    )]
    public void A_preset_with_a_mistake_is_refused(string json, string problem) =>
        Assert.Contains(problem, Assert.Throws<ArchiverException>(() => Preset.Read("mine", json)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_table_that_is_left_out_takes_along_what_hangs_below_it()
    {
        var map = Presets.Get("chatwoot").Map;

        var without = OptionalPart.Find(map, "Children:slas")!.TakenFrom(map);

        Assert.Equal(map.Children.Select(c => c.Name).Except(["slas", "sla_events"]), without.Children.Select(c => c.Name));
    }

    private static string Line(params object?[] values) => string.Join(' ', values.Select(v => v ?? "-"));
}
