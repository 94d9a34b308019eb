using Archiver.Core.Inspection;
using Archiver.Testing;
using static Archiver.Integration.Tests.Sources.KeylessTables;

namespace Archiver.Integration.Tests.Sources;

public sealed class KeyTypeInspectionTests(TestServers servers, DatabaseFixture fixture) : InspectionTests(servers, fixture)
{
    [Theory]
    [InlineData("public.padded")]
    [InlineData("interval")]
    public async Task Refuses_a_session_key_of_another_type(string type)
    {
        var database = await DatabaseAsync(
            $"""
            {NoKeys}
            CREATE DOMAIN public.padded AS char(36);
            ALTER TABLE public.chat_sessions DROP COLUMN session_id, ADD COLUMN session_id {type} PRIMARY KEY;
            ALTER TABLE public.chat_messages DROP COLUMN session_id, ADD COLUMN session_id {type} REFERENCES public.chat_sessions;
            CREATE INDEX ON public.chat_messages (session_id);
            """
        );

        var problem = Assert.Single((await InspectAsync(database)).Problems);

        Assert.Contains("a key must be uuid, text, varchar, char(n), smallint, int, bigint or numeric", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text", "varchar(40)")]
    [InlineData("bigint", "int")]
    [InlineData("smallint", "bigint")]
    [InlineData("numeric(20,0)", "numeric(20,0)")]
    [InlineData("char(36)", "char(40)")]
    [InlineData("text COLLATE \"C\"", "text")]
    [InlineData("public.session_name", "public.session_name")]
    public async Task Accepts_keys_of_the_listed_types_and_foreign_keys_that_compare_with_them(string key, string foreignKey)
    {
        var database = await DatabaseAsync(
            $"""
            {NoKeys}
            CREATE DOMAIN public.session_name AS varchar(50) CHECK (length(value) > 3);
            ALTER TABLE public.chat_sessions DROP COLUMN session_id;
            ALTER TABLE public.chat_sessions ADD COLUMN session_id {key} PRIMARY KEY;
            ALTER TABLE public.chat_messages DROP COLUMN session_id, ADD COLUMN session_id {foreignKey} REFERENCES public.chat_sessions;
            CREATE INDEX ON public.chat_messages (session_id);
            CREATE INDEX ON public.chat_sessions (last_activity, session_id)
            """
        );

        var inspection = await InspectAsync(database);

        Assert.Empty(inspection.Problems);
        Assert.Empty(inspection.Warnings);
    }

    [Fact]
    public async Task Refuses_a_session_key_with_a_nondeterministic_collation()
    {
        var database = await DatabaseAsync(
            $"""
            {NoKeys}
            CREATE COLLATION public.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
            ALTER TABLE public.chat_sessions DROP COLUMN session_id, ADD COLUMN session_id text COLLATE public.nocase PRIMARY KEY;
            ALTER TABLE public.chat_messages DROP COLUMN session_id, ADD COLUMN session_id text;
            CREATE INDEX ON public.chat_messages (session_id);
            """
        );
        var problem = Assert.Single((await InspectAsync(database)).Problems);
        Assert.Contains(
            "Column \"session_id\" (Key) of table public.chat_sessions has the nondeterministic collation \"public\".\"nocase\"",
            problem,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(Findings.Fix, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("public.nocase", "text COLLATE \"C\"")]
    [InlineData("\"POSIX\"", "text COLLATE \"C\"")]
    public async Task Refuses_a_foreign_key_column_whose_collation_does_not_compare_with_the_key(string collation, string key)
    {
        var database = await DatabaseAsync(
            $"""
            {NoKeys}
            CREATE COLLATION public.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
            ALTER TABLE public.chat_sessions DROP COLUMN session_id, ADD COLUMN session_id {key} PRIMARY KEY;
            ALTER TABLE public.chat_messages DROP COLUMN session_id, ADD COLUMN session_id text COLLATE {collation};
            CREATE INDEX ON public.chat_messages (session_id);
            """
        );
        var problem = Assert.Single((await InspectAsync(database)).Problems);
        Assert.Contains(
            "Column \"session_id\" (ForeignKey) of table public.chat_messages (messages) has collation",
            problem,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(Findings.Fix, problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("uuid", "text", "text")]
    [InlineData("text", "uuid", "uuid")]
    [InlineData("int", "varchar(20)", "text")]
    [InlineData("varchar(20)", "bigint", "bigint")]
    public async Task Says_how_columns_of_different_types_are_compared_and_accepts_it(string key, string foreignKey, string cast)
    {
        var database = await DatabaseAsync(
            $"""
            {NoKeys}
            ALTER TABLE public.chat_sessions DROP COLUMN session_id;
            ALTER TABLE public.chat_sessions ADD COLUMN session_id {key} PRIMARY KEY;
            ALTER TABLE public.chat_messages DROP COLUMN session_id, ADD COLUMN session_id {foreignKey};
            CREATE INDEX ON public.chat_messages (session_id);
            CREATE INDEX ON public.chat_sessions (last_activity, session_id)
            """
        );

        Assert.Contains(
            $"say so with \"Cast\": \"{cast}\"",
            Assert.Single((await InspectAsync(database)).Problems),
            StringComparison.Ordinal
        );
        var inspection = await InspectAsync(database, WithMessages(m => m with { Cast = cast }));

        Assert.Empty(inspection.Problems);
        Assert.DoesNotContain(Findings.Fix, Assert.Single(inspection.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refuses_a_cast_between_columns_of_one_type() =>
        await RefusesForGoodAsync("", WithMessages(m => m with { Cast = "uuid" }), "take Cast away");

    [Fact]
    public async Task Refuses_a_foreign_key_column_that_does_not_compare_with_the_key() =>
        await RefusesForGoodAsync(
            """
            ALTER TABLE public.chat_messages DROP CONSTRAINT chat_messages_session_id_fkey;
            ALTER TABLE public.chat_messages ALTER COLUMN session_id TYPE text
            """,
            null,
            "Column \"session_id\" (ForeignKey) of table public.chat_messages (messages) is text",
            "\"session_id\" of public.chat_sessions, which is uuid"
        );
}
