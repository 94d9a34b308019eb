using Archiver.Testing;

namespace Archiver.Integration.Tests.Sources;

public sealed class ColumnInspectionTests(TestServers servers, DatabaseFixture fixture) : InspectionTests(servers, fixture)
{
    [Theory]
    [InlineData("chat_messages", "messages")]
    [InlineData("chat_sessions", "session")]
    public async Task Refuses_a_table_that_does_not_exist(string table, string role) =>
        await RefusesForGoodAsync($"ALTER TABLE public.{table} RENAME TO somewhere_else", null, $"Table public.{table} ({role}) does not exist");

    [Theory]
    [InlineData("last_activity", "Activity")]
    [InlineData("created_at", "Created")]
    [InlineData("ended_at", "Ended")]
    [InlineData("archived", "Archived")]
    [InlineData("archive_location", "ArchiveLocation")]
    public async Task Refuses_a_session_column_that_does_not_exist_and_says_how_to_add_it(string column, string role) =>
        await RefusesAsync($"ALTER TABLE public.chat_sessions DROP COLUMN {column}", null, $"has no column \"{column}\", which is mapped as {role};");

    [Theory]
    [InlineData("chat_sessions", "user_id", "User")]
    [InlineData("chat_sessions", "session_id", "Key, ParentKey")]
    [InlineData("chat_messages", "session_id", "ForeignKey")]
    [InlineData("chat_messages", "id", "Key, Order")]
    public async Task Refuses_a_column_that_does_not_exist(string table, string column, string roles) =>
        await RefusesForGoodAsync($"ALTER TABLE public.{table} RENAME COLUMN {column} TO renamed", null, $"has no column \"{column}\", which is mapped as {roles};", "renamed");

    [Fact]
    public async Task Refuses_a_column_to_keep_that_does_not_exist() =>
        await RefusesForGoodAsync("", Source with { Keep = ["session_title", "Title"] }, "no column \"Title\", which is mapped as Keep");

    [Fact]
    public async Task Refuses_roles_of_a_session_that_do_not_exist() =>
        await RefusesForGoodAsync("", WithSession(s => s with { Status = "state" }), "no column \"state\", which is mapped as Status");

    [Fact]
    public async Task Refuses_a_missing_soft_delete_column_of_messages() =>
        await RefusesAsync("", WithMessages(m => m with { Deleted = "deleted_at" }), "public.chat_messages (messages) has no column \"deleted_at\", which is mapped as Deleted");

    [Theory]
    [InlineData("chat_sessions", "created_at", "bigint USING 1000", "(Created)")]
    [InlineData("chat_sessions", "ended_at", "text", "(Ended)")]
    [InlineData("chat_messages", "timestamp", "time", "(Time)")]
    public async Task Refuses_a_time_that_is_not_a_date_or_timestamp(string table, string column, string type, string says)
    {
        var usable = type == "time" ? "ALTER TABLE public.chat_messages ALTER COLUMN timestamp TYPE text" : $"ALTER TABLE public.{table} ALTER COLUMN {column} TYPE {type}";
        await RefusesAsync($"ALTER TABLE public.{table} ALTER COLUMN {column} DROP DEFAULT; {usable}", null, $"Column \"{column}\" {says}", "must be one of timestamp");
    }

    [Theory]
    [InlineData("date")]
    [InlineData("timestamp")]
    [InlineData("timestamptz(3)")]
    public async Task Accepts_dates_and_timestamps_of_either_kind(string type) =>
        await AcceptsAsync($"ALTER TABLE public.chat_sessions ALTER COLUMN last_activity DROP DEFAULT, ALTER COLUMN last_activity TYPE {type}");

    [Fact]
    public async Task Refuses_an_archived_flag_that_is_not_boolean() =>
        await RefusesAsync(
            "ALTER TABLE public.chat_sessions DROP COLUMN archived, ADD COLUMN archived timestamptz",
            null,
            "Column \"archived\" (Archived)", "must be one of boolean");

    [Fact]
    public async Task Refuses_an_archive_location_that_holds_no_text() =>
        await RefusesAsync(
            "ALTER TABLE public.chat_sessions DROP COLUMN archive_location, ADD COLUMN archive_location uuid",
            null,
            "Column \"archive_location\" (ArchiveLocation)", "must be one of text");
}
