using Archiver.Testing;

namespace Archiver.Integration.Tests.ApplicationSchemas;

public sealed class SoftDeleteSchemaTests(SoftDeleteSchemaTests.Data data)
    : ApplicationSchemaTests(data, Names),
        IClassFixture<SoftDeleteSchemaTests.Data>
{
    private static readonly SchemaNames Names = new()
    {
        Sessions = "public.chat_sessions",
        Key = "id",
        Activity = "last_activity",
        ActivityZone = "AT TIME ZONE 'UTC'",
        Messages = "public.chat_messages",
        MessageTime = "timestamp",
        NewestFirst = "sequence DESC, timestamp DESC, id DESC",
        NewestIndex = "chat_messages_newest_idx",
        ArchivingIndex = "chat_sessions_archiving_idx",
    };

    [Fact]
    public async Task Json_is_kept_as_it_was_written() =>
        Assert.Equal(
            "{\"theme\":  \"dark\",\n \"zoom\": 1.50, \"a\": 1, \"a\": 2}",
            await Database.ScalarAsync<string>("SELECT settings::text FROM public.chat_sessions WHERE settings IS NOT NULL LIMIT 1", Token)
        );

    [Fact]
    public async Task Times_without_zone_are_utc_whatever_the_zone_of_the_server()
    {
        var session = await Database.ScalarAsync<Guid>("INSERT INTO public.chat_sessions (user_id) VALUES ('test') RETURNING id", Token);

        Assert.True(
            await Database.ScalarAsync<bool>(
                $"""
                SELECT abs(extract(epoch FROM last_activity AT TIME ZONE 'UTC' - created_at)) < 60
                FROM public.chat_sessions WHERE id = '{session}'
                """,
                Token
            )
        );
    }

    [Theory]
    [InlineData("chat_sessions")]
    [InlineData("chat_messages")]
    public async Task Deleted_rows_are_selected_from_their_own_index(string table) =>
        await AssertReadsInOrderAsync(
            $"""
            SELECT id FROM public.{table}
            WHERE deleted_at < now() - interval '30 days'
            ORDER BY deleted_at, id
            LIMIT 100
            """,
            $"{table}_deleted_idx"
        );

    public sealed class Data(TestServers servers) : ApplicationSchemaData(servers, "soft-delete");
}
