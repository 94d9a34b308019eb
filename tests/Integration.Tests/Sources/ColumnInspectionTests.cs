using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Sources;

public sealed class ColumnInspectionTests(TestServers servers, DatabaseFixture fixture) : InspectionTests(servers, fixture)
{
    [Theory]
    [InlineData("chat_messages", "messages")]
    [InlineData("chat_sessions", "session")]
    public async Task Refuses_a_table_that_does_not_exist(string table, string role) =>
        await RefusesForGoodAsync(
            $"ALTER TABLE public.{table} RENAME TO somewhere_else",
            null,
            $"Table public.{table} ({role}) does not exist"
        );

    [Theory]
    [InlineData("last_activity", "Activity")]
    [InlineData("created_at", "Created")]
    [InlineData("ended_at", "Ended")]
    [InlineData("archived", "Archived")]
    [InlineData("archive_location", "ArchiveLocation")]
    public async Task Refuses_a_session_column_that_does_not_exist_and_says_how_to_add_it(string column, string role) =>
        await RefusesAsync(
            $"ALTER TABLE public.chat_sessions DROP COLUMN {column}",
            // As a mapping of one's own has it: what the preset calls optional may be missing.
            Source with
            {
                Map = Source.Map with { Optional = [] },
            },
            $"has no column \"{column}\", which is mapped as {role};"
        );

    [Theory]
    [InlineData("chat_sessions", "user_id", "User")]
    [InlineData("chat_sessions", "session_id", "Key, ParentKey")]
    [InlineData("chat_messages", "session_id", "ForeignKey")]
    [InlineData("chat_messages", "id", "Key, Order")]
    public async Task Refuses_a_column_that_does_not_exist(string table, string column, string roles) =>
        await RefusesForGoodAsync(
            $"ALTER TABLE public.{table} RENAME COLUMN {column} TO renamed",
            null,
            $"has no column \"{column}\", which is mapped as {roles};",
            "renamed"
        );

    [Fact]
    public async Task Refuses_a_column_to_keep_that_does_not_exist() =>
        await RefusesForGoodAsync("", Source with { Keep = ["session_title", "Title"] }, "no column \"Title\", which is mapped as Keep");

    [Fact]
    public async Task Refuses_roles_of_a_session_that_do_not_exist() =>
        await RefusesForGoodAsync("", WithSession(s => s with { Status = "state" }), "no column \"state\", which is mapped as Status");

    [Fact]
    public async Task Refuses_a_missing_soft_delete_column_of_messages() =>
        await RefusesAsync(
            "",
            WithMessages(m => m with { Deleted = "deleted_at" }),
            "public.chat_messages (messages) has no column \"deleted_at\", which is mapped as Deleted"
        );

    [Theory]
    [InlineData("chat_sessions", "ended_at", "text", "(Ended)")]
    [InlineData("chat_messages", "timestamp", "text", "(Time)")]
    public async Task Refuses_a_time_that_is_not_a_date_or_timestamp(string table, string column, string type, string says) =>
        await RefusesForGoodAsync(
            $"ALTER TABLE public.{table} ALTER COLUMN {column} DROP DEFAULT; ALTER TABLE public.{table} ALTER COLUMN {column} TYPE {type}",
            null,
            $"Column \"{column}\" {says}",
            "must be one of timestamp"
        );

    [Theory]
    [InlineData("bigint", TimeForm.Text, "must be one of text")]
    [InlineData("text", TimeForm.EpochSeconds, "must be one of bigint")]
    [InlineData("bigint", TimeForm.Uuid, "must be one of uuid")]
    [InlineData("timestamptz", TimeForm.EpochSeconds, "take As away")]
    public async Task Refuses_a_column_that_cannot_hold_times_of_its_form(string type, TimeForm form, string says) =>
        await RefusesForGoodAsync(
            $"ALTER TABLE public.chat_sessions DROP COLUMN ended_at, ADD COLUMN ended_at {type}",
            WithSession(s => s with { Ended = new("ended_at") { As = form } }),
            "\"ended_at\" (Ended)",
            says
        );

    [Theory]
    [InlineData("smallint", TimeForm.EpochSeconds)]
    [InlineData("real", TimeForm.EpochMilliseconds)]
    [InlineData("char(30)", TimeForm.Text)]
    [InlineData("uuid", TimeForm.UuidV6)]
    [InlineData("varchar(36)", TimeForm.Uuid)]
    public async Task Accepts_times_of_other_forms(string type, TimeForm form) =>
        await AcceptsAsync(
            $"ALTER TABLE public.chat_sessions DROP COLUMN ended_at, ADD COLUMN ended_at {type}",
            WithSession(s => s with { Ended = new("ended_at") { As = form } })
        );

    [Fact]
    public async Task Refuses_a_column_to_fall_back_on_of_another_type() =>
        await RefusesForGoodAsync(
            "ALTER TABLE public.chat_sessions ADD COLUMN touched timestamp",
            WithSession(s => s with { Activity = [new("last_activity") { Or = "touched" }] }),
            "\"touched\" (Activity:Or)",
            "for which it stands in"
        );

    [Fact]
    public async Task Refuses_a_flag_that_is_none() =>
        await RefusesForGoodAsync(
            "",
            WithSession(s => s with { Deleted = new("user_id") { At = "last_activity" } }),
            "\"user_id\" (Deleted)",
            "must be one of boolean"
        );

    [Theory]
    [InlineData("date")]
    [InlineData("timestamp")]
    [InlineData("timestamptz(3)")]
    public async Task Accepts_dates_and_timestamps_of_either_kind(string type) =>
        await AcceptsAsync(
            $"ALTER TABLE public.chat_sessions ALTER COLUMN last_activity DROP DEFAULT, ALTER COLUMN last_activity TYPE {type}"
        );

    [Theory]
    [InlineData("archived", "timestamptz", "Archived", "boolean", "archived_flag")]
    [InlineData("archive_location", "uuid", "ArchiveLocation", "text", "archive_location_text")]
    public async Task Advises_a_column_beside_one_that_cannot_hold_its_mark(
        string column,
        string type,
        string role,
        string must,
        string beside
    )
    {
        var database = await DatabaseAsync($"ALTER TABLE public.chat_sessions DROP COLUMN {column}, ADD COLUMN {column} {type}");
        var problem = Assert.Single((await InspectAsync(database)).Problems);
        Assert.Contains($"Column \"{column}\" ({role})", problem, StringComparison.Ordinal);
        Assert.Contains($"must be one of {must}", problem, StringComparison.Ordinal);

        await ApplyAsync(database, problem);

        Assert.Empty(
            (
                await InspectAsync(
                    database,
                    WithSession(s => role == "Archived" ? s with { Archived = beside } : s with { ArchiveLocation = beside })
                )
            ).Problems
        );
    }
}
