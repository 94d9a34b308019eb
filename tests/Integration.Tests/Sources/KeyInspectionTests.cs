using Archiver.Testing;
using static Archiver.Integration.Tests.Sources.KeylessTables;

namespace Archiver.Integration.Tests.Sources;

public sealed class KeyInspectionTests(TestServers servers, DatabaseFixture fixture) : InspectionTests(servers, fixture)
{
    private const string NotUnique = "Column \"session_id\" (Key) of table public.chat_sessions has no valid unique index";

    [Theory]
    [InlineData("SELECT 1", NotUnique)]
    [InlineData("CREATE UNIQUE INDEX ON public.chat_sessions (user_id, session_id)", NotUnique)]
    [InlineData("CREATE UNIQUE INDEX ON public.chat_sessions (session_id, user_id)", NotUnique)]
    [InlineData("CREATE UNIQUE INDEX ON public.chat_sessions (session_id) WHERE NOT archived", NotUnique)]
    [InlineData("CREATE UNIQUE INDEX ON public.chat_sessions ((session_id::text))", NotUnique)]
    [InlineData("ALTER TABLE public.chat_sessions ADD UNIQUE (session_id) DEFERRABLE", NotUnique)]
    [InlineData("CREATE INDEX ON public.chat_sessions (session_id)", NotUnique)]
    public async Task Refuses_a_session_key_that_is_not_unique_at_every_moment(string instead, string says) =>
        await RefusesForGoodAsync($"{NoKeys} {instead}", null, says);

    [Fact]
    public async Task Refuses_a_session_key_whose_unique_index_is_not_valid()
    {
        var database = await DatabaseAsync($"{NoKeys} CREATE UNIQUE INDEX broken ON public.chat_sessions (session_id)");
        await database.ExecuteAsync("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.broken'::regclass", Token);

        Assert.Contains(NotUnique, Assert.Single((await InspectAsync(database)).Problems), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Accepts_a_unique_index_that_includes_other_columns()
    {
        var database = await DatabaseAsync($"{NoKeys} CREATE UNIQUE INDEX ON public.chat_sessions (session_id) INCLUDE (user_id)");

        Assert.Empty((await InspectAsync(database)).Problems);
    }

    [Fact]
    public async Task Refuses_a_partitioned_session_table_that_is_unique_per_partition_only()
    {
        var database = await DatabaseAsync(
            """
            DROP TABLE public.chat_messages, public.chat_sessions;
            CREATE TABLE public.chat_sessions (
              session_id uuid NOT NULL, user_id text, created_at timestamptz, last_activity timestamptz, ended_at timestamptz,
              archived boolean, archive_location text, PRIMARY KEY (session_id, created_at)) PARTITION BY RANGE (created_at);
            CREATE TABLE public.chat_sessions_all PARTITION OF public.chat_sessions DEFAULT;
            CREATE INDEX ON public.chat_sessions (last_activity, session_id);
            CREATE UNIQUE INDEX ON public.chat_sessions_all (session_id);
            CREATE TABLE public.chat_messages (id bigint PRIMARY KEY, session_id uuid, timestamp timestamptz);
            CREATE INDEX ON public.chat_messages (session_id)
            """
        );

        var problem = Assert.Single((await InspectAsync(database)).Problems);

        Assert.Contains(NotUnique, problem, StringComparison.Ordinal);
        Assert.Contains("partitioned by that column", problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refuses_a_session_key_that_may_be_null() =>
        await RefusesForGoodAsync(
            $"{NoKeys} CREATE UNIQUE INDEX ON public.chat_sessions (session_id); ALTER TABLE public.chat_sessions ALTER COLUMN session_id "
                + "DROP NOT NULL",
            null,
            "Column \"session_id\" (Key) of table public.chat_sessions may be NULL"
        );

    [Theory]
    [InlineData("text")]
    [InlineData("uuid")]
    public async Task Refuses_an_external_id_that_is_not_unique(string type) =>
        await RefusesForGoodAsync(
            $"ALTER TABLE public.chat_sessions ADD COLUMN name {type}; CREATE UNIQUE INDEX ON public.chat_sessions (user_id, name)",
            WithSession(s => s with { ExternalId = "name" }),
            "Column \"name\" (ExternalId) of table public.chat_sessions has no valid unique index"
        );

    [Fact]
    public async Task Accepts_a_unique_external_id_that_may_be_null() =>
        await AcceptsAsync(
            "ALTER TABLE public.chat_sessions ADD COLUMN name text UNIQUE",
            WithSession(s => s with { ExternalId = "name" })
        );

    [Fact]
    public async Task Refuses_a_parent_key_that_is_not_unique() =>
        await RefusesForGoodAsync(
            """
            CREATE TABLE public.parts (id bigint PRIMARY KEY, message_number integer);
            CREATE INDEX ON public.parts (message_number);
            ALTER TABLE public.chat_messages ADD COLUMN number integer
            """,
            Source with
            {
                Map = Source.Map with
                {
                    Children =
                    [
                        .. Source.Map.Children,
                        new()
                        {
                            Name = "parts",
                            Table = new("public", "parts"),
                            Parent = "messages",
                            ForeignKey = "message_number",
                            ParentKey = "number",
                            Order = ["id"],
                        },
                    ],
                },
            },
            "Column \"number\" (ParentKey) of table public.chat_messages has no valid unique index"
        );
}
