using Archiver.Core.Settings;

namespace Archiver.Core.Tests.Sources;

public sealed class PresetsTests
{
    [Theory]
    [InlineData("ended-at", "public.chat_sessions session_id - last_activity user_id created_at ended_at - - - archived archive_location",
        "public.chat_messages session session_id->session_id id timestamp,id timestamp -")]
    [InlineData("last-accessed", "public.sessions id - last_accessed,updated_at user_id created_at - - expires_at - - -",
        "public.messages session session_id->id id created_at,id created_at -")]
    [InlineData("status-expiry", "public.sessions id session_id updated_at user_id created_at - - expires_at status - -",
        "public.messages session session_id->id id created_at,id created_at -")]
    [InlineData("soft-delete", "public.chat_sessions id - last_activity user_id created_at - deleted_at - - - -",
        "public.chat_messages session session_id->id id sequence,timestamp,id timestamp deleted_at")]
    public void Maps_the_schema_of_its_name(string name, string session, string messages)
    {
        var (s, children) = Presets.All[name];
        var c = Assert.Single(children);

        Assert.Equal(session, Line(s.Table, s.Key, s.ExternalId, string.Join(',', s.Activity), s.User, s.Created, s.Ended, s.Deleted, s.Expires, s.Status, s.Archived, s.ArchiveLocation));
        Assert.Equal(messages, Line(c.Table, c.Parent, $"{c.ForeignKey}->{c.ParentKey}", c.Key, string.Join(',', c.Order), c.Time, c.Deleted));
        Assert.Equal(SourceMap.MessagesName, c.Name);
    }

    [Fact]
    public void There_are_four() => Assert.Equal(["ended-at", "last-accessed", "soft-delete", "status-expiry"], Presets.All.Keys.Order());

    private static string Line(params object?[] values) => string.Join(' ', values.Select(v => v ?? "-"));
}
