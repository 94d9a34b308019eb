using Archiver.Core.Inspection;
using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Sources;

public sealed class CitextInspectionTests(TestServers servers, DatabaseFixture fixture) : InspectionTests(servers, fixture)
{
    private const string NoKeys = """
        ALTER TABLE public.chat_messages DROP CONSTRAINT chat_messages_session_id_fkey;
        ALTER TABLE public.chat_sessions DROP CONSTRAINT chat_sessions_pkey;
        """;

    // Two spellings would be one key to the server, and two to the ledger, to files and to holds.
    [Theory]
    [InlineData("citext")]
    [InlineData("other.citext")]
    [InlineData("public.nick")]
    public async Task Refuses_a_session_key_of_citext(string type)
    {
        var database = await DatabaseAsync(
            $"""
            {NoKeys}
            {Citext(type)}
            ALTER TABLE public.chat_sessions DROP COLUMN session_id, ADD COLUMN session_id {type} PRIMARY KEY;
            ALTER TABLE public.chat_messages DROP COLUMN session_id, ADD COLUMN session_id {type} REFERENCES public.chat_sessions;
            CREATE INDEX ON public.chat_messages (session_id)
            """
        );

        var problems = (await InspectAsync(database)).Problems;

        Assert.Collection(
            problems,
            p => Assert.Contains("a key must be uuid, text, varchar", p, StringComparison.Ordinal),
            p => Assert.Contains("to citext keys are equal that differ in capitals", p, StringComparison.Ordinal)
        );
        Assert.All(problems, p => Assert.DoesNotContain(Findings.Fix, p, StringComparison.Ordinal));
    }

    // Compared as texts, a child's row would be left behind when its parent spells the key otherwise.
    [Theory]
    [InlineData("citext", "citext")]
    [InlineData("citext", "text")]
    [InlineData("text", "citext")]
    [InlineData("public.nick", "other.citext")]
    public async Task Refuses_a_foreign_key_column_of_citext_or_onto_citext(string key, string foreignKey)
    {
        var database = await DatabaseAsync(
            $"""
            {Citext($"{key} {foreignKey}")}
            ALTER TABLE public.chat_messages ADD COLUMN code {key} UNIQUE;
            CREATE TABLE public.parts (id bigint PRIMARY KEY, code {foreignKey});
            CREATE INDEX ON public.parts (code)
            """
        );
        var parts = new ChildTable
        {
            Name = "parts",
            Table = new("public", "parts"),
            Parent = "messages",
            ForeignKey = "code",
            ParentKey = "code",
            Order = ["id"],
        };

        var problem = Assert.Single(
            (await InspectAsync(database, Source with { Map = Source.Map with { Children = [.. Source.Map.Children, parts] } })).Problems
        );

        Assert.Contains("Column \"code\" (ForeignKey) of table public.parts (parts) is", problem, StringComparison.Ordinal);
        Assert.Contains("to citext keys are equal that differ in capitals", problem, StringComparison.Ordinal);
    }

    private static string Citext(string types) =>
        types.Contains("other.", StringComparison.Ordinal)
            ? "CREATE SCHEMA other; CREATE EXTENSION citext SCHEMA other; CREATE DOMAIN public.nick AS other.citext;"
            : "CREATE EXTENSION citext; CREATE DOMAIN public.nick AS citext;";
}
