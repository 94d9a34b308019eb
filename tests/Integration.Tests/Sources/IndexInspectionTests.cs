using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Sources;

public sealed class IndexInspectionTests(TestServers servers, DatabaseFixture fixture) : InspectionTests(servers, fixture)
{
    private const string NotUsable = "Column \"session_id\" (ForeignKey) of table public.chat_messages (messages) leads no usable index";

    [Theory]
    [InlineData("SELECT 1")]
    [InlineData("CREATE INDEX ON public.chat_messages (id, session_id)")]
    [InlineData("CREATE INDEX ON public.chat_messages (session_id) WHERE role = 'user'")]
    [InlineData("CREATE INDEX ON public.chat_messages USING brin (session_id)")]
    [InlineData("CREATE INDEX ON public.chat_messages ((session_id::text))")]
    public async Task Refuses_a_foreign_key_column_without_a_usable_index(string instead) =>
        await RefusesAsync(
            $"DROP INDEX public.chat_messages_newest_idx; {instead}",
            null,
            NotUsable,
            "CREATE INDEX CONCURRENTLY ON \"public\".\"chat_messages\" (\"session_id\")"
        );

    [Fact]
    public async Task Refuses_a_foreign_key_column_whose_index_was_never_completed()
    {
        var database = await DatabaseAsync("");
        await database.ExecuteAsync(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.chat_messages_newest_idx'::regclass",
            Token
        );

        Assert.Contains(NotUsable, Assert.Single((await InspectAsync(database)).Problems), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Accepts_a_hash_index_on_the_foreign_key_column() =>
        await AcceptsAsync("DROP INDEX public.chat_messages_newest_idx; CREATE INDEX ON public.chat_messages USING hash (session_id)");

    [Fact]
    public async Task Refuses_the_partition_that_has_no_index() =>
        await RefusesAsync(
            $"{Partitioned.Messages} DROP INDEX public.messages_by_session; CREATE INDEX ON public.chat_messages_new (session_id)",
            null,
            NotUsable,
            "in public.chat_messages_old:",
            "CREATE INDEX CONCURRENTLY ON \"public\".\"chat_messages_old\""
        );

    [Theory]
    [InlineData("SELECT 1")]
    [InlineData("CREATE INDEX ON public.chat_sessions (last_activity)")]
    [InlineData("CREATE INDEX ON public.chat_sessions (last_activity DESC, session_id)")]
    [InlineData("CREATE INDEX ON public.chat_sessions (last_activity, session_id) WHERE NOT archived")]
    public async Task Warns_when_no_index_serves_the_order_of_selection(string instead) =>
        await WarnsAsync(
            $"DROP INDEX public.chat_sessions_archiving_idx; {instead}",
            null,
            "No index of table public.chat_sessions serves the order of selection, \"last_activity\" and \"session_id\"",
            "CREATE INDEX CONCURRENTLY ON \"public\".\"chat_sessions\" (\"last_activity\", \"session_id\")"
        );

    [Fact]
    public async Task Accepts_an_index_that_serves_the_order_backwards() =>
        await AcceptsAsync(
            "DROP INDEX public.chat_sessions_archiving_idx; CREATE INDEX ON public.chat_sessions (last_activity DESC, session_id DESC)"
        );

    [Fact]
    public async Task Accepts_for_a_policy_by_another_column_the_index_of_its_values_and_needs_no_other() =>
        await AcceptsAsync("DROP INDEX public.chat_sessions_archiving_idx", Ended);

    [Theory]
    [InlineData("SELECT 1")]
    [InlineData("CREATE INDEX ON public.chat_sessions (ended_at)")]
    [InlineData("CREATE INDEX ON public.chat_sessions (ended_at, session_id) WHERE ended_at > '2020-01-01'")]
    [InlineData("CREATE INDEX ON public.chat_sessions (ended_at, session_id) WHERE last_activity IS NOT NULL")]
    public async Task Warns_when_no_index_serves_the_order_of_a_policy_by_another_column(string instead) =>
        await WarnsAsync(
            $"DROP INDEX public.chat_sessions_ended_idx; {instead}",
            Ended,
            "No index of table public.chat_sessions serves the order of selection, \"ended_at\" and \"session_id\"",
            "CREATE INDEX CONCURRENTLY ON \"public\".\"chat_sessions\" (\"ended_at\", \"session_id\")"
        );

    [Fact]
    public async Task Warns_of_a_table_without_primary_key() =>
        await WarnsAsync(
            "ALTER TABLE public.chat_messages DROP CONSTRAINT chat_messages_pkey",
            null,
            "Table public.chat_messages (messages) has no primary key"
        );

    private static SourceSettings Ended =>
        Source with
        {
            Policies =
            [
                new()
                {
                    Source = "main",
                    Name = "ended",
                    Action = PolicyAction.Archive,
                    EndedFor = TimeSpan.FromDays(30),
                },
            ],
        };
}
