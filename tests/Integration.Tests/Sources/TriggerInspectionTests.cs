using Archiver.Testing;

namespace Archiver.Integration.Tests.Sources;

public sealed class TriggerInspectionTests(TestServers servers, DatabaseFixture fixture) : InspectionTests(servers, fixture)
{
    private const string Function = "CREATE FUNCTION public.watch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'";

    [Theory]
    [InlineData("DO INSTEAD NOTHING")]
    [InlineData("DO ALSO NOTHING")]
    public async Task Refuses_a_rule_that_rewrites_deletes(string action) =>
        await RefusesForGoodAsync(
            $"CREATE RULE keep AS ON DELETE TO public.chat_messages {action}",
            null,
            "Rule \"keep\" rewrites deletes of table public.chat_messages (messages)"
        );

    [Theory]
    [InlineData(
        "CREATE RULE keep AS ON DELETE TO public.chat_messages DO INSTEAD NOTHING; ALTER TABLE public.chat_messages DISABLE RULE keep"
    )]
    [InlineData("CREATE RULE log AS ON INSERT TO public.chat_messages DO ALSO NOTHING")]
    public async Task Accepts_rules_that_do_not_touch_deletes(string sql) => await AcceptsAsync(sql);

    [Theory]
    [InlineData("chat_messages", "messages")]
    [InlineData("chat_sessions", "session")]
    public async Task Refuses_a_table_whose_foreign_keys_are_switched_off(string table, string name) =>
        await RefusesForGoodAsync(
            $"ALTER TABLE public.{table} DISABLE TRIGGER ALL",
            null,
            $"Table public.{table} ({name}) has disabled internal triggers",
            "RI_ConstraintTrigger_"
        );

    [Fact]
    public async Task Refuses_a_partition_whose_foreign_keys_are_switched_off()
    {
        var database = await DatabaseAsync($"{Partitioned.Messages} ALTER TABLE public.chat_messages_old DISABLE TRIGGER ALL");

        Assert.Contains(
            "Table public.chat_messages_old (messages) has disabled internal triggers",
            Assert.Single((await InspectAsync(database)).Problems),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Refuses_a_trigger_that_deletes_large_objects() =>
        await RefusesForGoodAsync(
            """
            CREATE EXTENSION lo;
            ALTER TABLE public.chat_messages ADD COLUMN attachment lo;
            CREATE TRIGGER free BEFORE UPDATE OR DELETE ON public.chat_messages FOR EACH ROW EXECUTE FUNCTION lo_manage(attachment)
            """,
            null,
            "Trigger \"free\" of table public.chat_messages (messages) deletes large objects"
        );

    [Theory]
    [InlineData("BEFORE", "ROW")]
    [InlineData("AFTER", "ROW")]
    [InlineData("BEFORE", "STATEMENT")]
    [InlineData("AFTER", "STATEMENT")]
    public async Task Warns_of_a_trigger_on_delete(string time, string level)
    {
        var database = await DatabaseAsync("");
        await database.ExecuteAsync(
            $"{Function}; CREATE TRIGGER seen {time} INSERT OR DELETE ON public.chat_messages FOR EACH {level} "
                + "EXECUTE FUNCTION public.watch()",
            Token
        );

        var inspection = await InspectAsync(database);

        Assert.Empty(inspection.Problems);
        Assert.Contains(
            $"Trigger \"seen\" of table public.chat_messages (messages) fires when rows are archived ({time} DELETE {level})",
            Assert.Single(inspection.Warnings),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Warns_of_a_trigger_once_for_all_partitions()
    {
        var database = await DatabaseAsync(Partitioned.Messages);
        await database.ExecuteAsync(
            $"{Function}; CREATE TRIGGER seen BEFORE DELETE ON public.chat_messages FOR EACH ROW EXECUTE FUNCTION public.watch()",
            Token
        );

        Assert.Contains(
            "Trigger \"seen\" of table public.chat_messages (messages)",
            Assert.Single((await InspectAsync(database)).Warnings),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Accepts_triggers_that_do_not_fire_on_delete()
    {
        var database = await DatabaseAsync("");
        await database.ExecuteAsync(
            $"""
            {Function};
            CREATE TRIGGER touched BEFORE INSERT OR UPDATE ON public.chat_messages FOR EACH ROW EXECUTE FUNCTION public.watch();
            CREATE TRIGGER off BEFORE DELETE ON public.chat_messages FOR EACH ROW EXECUTE FUNCTION public.watch();
            ALTER TABLE public.chat_messages DISABLE TRIGGER off
            """,
            Token
        );

        Assert.Empty((await InspectAsync(database)).Warnings);
    }
}
