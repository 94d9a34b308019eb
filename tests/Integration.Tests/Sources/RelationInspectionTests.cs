using Archiver.Core.Inspection;
using Archiver.Testing;
using Npgsql;

namespace Archiver.Integration.Tests.Sources;

public sealed class RelationInspectionTests(TestServers servers, DatabaseFixture fixture) : InspectionTests(servers, fixture)
{
    private const string ForeignServer = """
        CREATE FOREIGN DATA WRAPPER elsewhere;
        CREATE SERVER far FOREIGN DATA WRAPPER elsewhere;
        """;

    [Fact]
    public async Task Refuses_a_foreign_table() =>
        await RefusesForGoodAsync(
            $"{ForeignServer} DROP TABLE public.chat_messages; CREATE FOREIGN TABLE public.chat_messages (id bigint, session_id uuid, "
                + "timestamp timestamptz) SERVER far",
            null,
            "public.chat_messages (messages) is a foreign table"
        );

    [Fact]
    public async Task Refuses_a_foreign_partition() =>
        await RefusesForGoodAsync(
            $"""
            {ForeignServer}
            DROP TABLE public.chat_messages;
            CREATE TABLE public.chat_messages (id bigint, session_id uuid, timestamp timestamptz) PARTITION BY RANGE (timestamp);
            CREATE FOREIGN TABLE public.chat_messages_old PARTITION OF public.chat_messages DEFAULT SERVER far
            """,
            null,
            "Partition public.chat_messages_old of public.chat_messages (messages) is a foreign table"
        );

    [Theory]
    [InlineData("VIEW", "a view")]
    [InlineData("MATERIALIZED VIEW", "a materialized view")]
    public async Task Refuses_a_view(string kind, string says) =>
        await RefusesForGoodAsync(
            $"""
            ALTER TABLE public.chat_messages RENAME TO all_messages;
            CREATE {kind} public.chat_messages AS SELECT * FROM public.all_messages
            """,
            null,
            $"public.chat_messages (messages) is {says}"
        );

    [Fact]
    public async Task Refuses_a_table_whose_access_method_is_not_heap() =>
        await RefusesAsync(
            """
            CREATE ACCESS METHOD columnar TYPE TABLE HANDLER heap_tableam_handler;
            ALTER TABLE public.chat_messages SET ACCESS METHOD columnar
            """,
            null,
            "Table public.chat_messages (messages) has access method \"columnar\""
        );

    [Fact]
    public async Task Refuses_a_table_that_others_inherit_from() =>
        await RefusesForGoodAsync(
            "CREATE TABLE public.old_messages () INHERITS (public.chat_messages)",
            null,
            "Table public.old_messages inherits from public.chat_messages (messages) without being its partition"
        );

    [Fact]
    public async Task Refuses_a_partition_that_is_mapped_beside_its_table()
    {
        var database = await DatabaseAsync(Partitioned.Messages);
        var children = Source.Map.Children;
        var source = Source with
        {
            Map = Source.Map with
            {
                Children = [.. children, children[0] with { Name = "old", Table = new("public", "chat_messages_old") }],
            },
        };

        Assert.Contains(
            "(old) is a partition of public.chat_messages (messages)",
            Assert.Single((await InspectAsync(database, source)).Problems),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Warns_of_an_unlogged_table() =>
        await WarnsAsync("ALTER TABLE public.chat_messages SET UNLOGGED", null, "Unlogged (messages): public.chat_messages.");

    [Fact]
    public async Task Refuses_an_unlogged_table_when_exporting_from_a_standby() =>
        await RefusesAsync(
            "ALTER TABLE public.chat_messages SET UNLOGGED",
            Source with
            {
                ReplicaConnectionString = "Host=replica",
            },
            "Unlogged (messages): public.chat_messages. A standby has no rows of such a table"
        );

    [Fact]
    public async Task Refuses_a_table_that_a_subscription_writes()
    {
        await using var publisher = await OwnDatabaseAsync("CREATE PUBLICATION chats FOR TABLE public.chat_messages");
        await using var database = await OwnDatabaseAsync("");
        var address = new NpgsqlConnectionStringBuilder(publisher.ConnectionString);
        // A slot in name only: making one waits for every transaction that is open on the server, and other tests keep some open.
        await database.ExecuteAsync(
            $"""
            CREATE SUBSCRIPTION chats
            CONNECTION 'host={address.Host} port={address.Port} user={address.Username} password={address.Password} dbname={address.Database}'
            PUBLICATION chats WITH (slot_name = NONE, create_slot = false, enabled = false, copy_data = false);
            ALTER SUBSCRIPTION chats SET (slot_name = 'nowhere')
            """,
            Token
        );
        var problem = Assert.Single((await InspectAsync(database)).Problems);
        Assert.Contains("Table public.chat_messages is written by subscription \"chats\"", problem, StringComparison.Ordinal);
        // Nothing that would end a replication is advised.
        Assert.DoesNotContain(Findings.Fix, problem, StringComparison.Ordinal);
        await database.ExecuteAsync("ALTER SUBSCRIPTION chats SET (slot_name = NONE); DROP SUBSCRIPTION chats", Token);
    }
}
