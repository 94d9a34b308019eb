using Archiver.Core.Inspection;
using Archiver.Testing;
using Npgsql;

namespace Archiver.Integration.Tests.Sources;

public sealed class PresetInspectionTests(TestServers servers, DatabaseFixture fixture) : InspectionTests(servers, fixture)
{
    [Theory]
    [InlineData("ended-at")]
    [InlineData("last-accessed")]
    [InlineData("status-expiry")]
    [InlineData("soft-delete")]
    public async Task Accepts_a_preset_as_its_script_creates_it(string preset)
    {
        var database = await DatabaseAsync("", preset);

        var inspection = await InspectAsync(database, SourceOf(preset), lockTimeout: TimeSpan.FromMilliseconds(300));

        Assert.Empty(inspection.Problems);
        Assert.Empty(inspection.Warnings);
        Assert.Equal(["session", "messages"], inspection.Shape.Tables.Select(t => t.Name));
    }

    [Fact]
    public async Task Accepts_the_soft_delete_preset_with_text_keys_as_an_ORM_writes_them()
    {
        var database = await DatabaseAsync(
            """
            ALTER TABLE public.chat_messages DROP CONSTRAINT chat_messages_session_id_fkey;
            ALTER TABLE public.chat_sessions ALTER COLUMN id DROP DEFAULT, ALTER COLUMN id TYPE text;
            ALTER TABLE public.chat_messages ALTER COLUMN session_id TYPE varchar(64);
            ALTER TABLE public.chat_messages ADD FOREIGN KEY (session_id) REFERENCES public.chat_sessions (id)
            """,
            "soft-delete"
        );

        var inspection = await InspectAsync(database, SourceOf("soft-delete"));

        Assert.Empty(inspection.Problems);
        Assert.Empty(inspection.Warnings);
    }

    [Fact]
    public async Task Names_every_problem_at_once_in_one_refusal()
    {
        var database = await DatabaseAsync(
            """
            ALTER TABLE public.chat_sessions DROP COLUMN ended_at;
            ALTER TABLE public.chat_messages DISABLE TRIGGER ALL;
            DROP INDEX public.chat_messages_newest_idx
            """
        );

        var inspection = await InspectAsync(database);
        var refusal = Assert.Throws<Core.Diagnostics.ArchiverException>(() => inspection.Require("main"));

        Assert.Equal(3, inspection.Problems.Count);
        Assert.All(inspection.Problems, p => Assert.Contains(p, refusal.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Sees_through_a_search_path_that_shadows_the_catalogs()
    {
        await using var database = await OwnDatabaseAsync(
            """
            CREATE VIEW public.pg_constraint AS SELECT * FROM pg_catalog.pg_constraint WHERE false;
            CREATE VIEW public.pg_inherits AS SELECT * FROM pg_catalog.pg_inherits WHERE false;
            CREATE TABLE public.notes (session_id uuid REFERENCES public.chat_sessions ON DELETE CASCADE);
            CREATE INDEX ON public.notes (session_id)
            """
        );
        await database.ExecuteAsync(
            "ALTER ROLE postgres IN DATABASE "
                + $"{await database.ScalarAsync<string>("SELECT current_database()::text", Token)} SET search_path = public, pg_catalog",
            Token
        );

        Assert.Contains("public.notes", Assert.Single((await InspectAsync(database)).Problems), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Leaves_nothing_behind_on_the_connection()
    {
        var database = await DatabaseAsync("");
        await using var connection = await database.DataSource.OpenConnectionAsync(Token);
        await using var settings = new NpgsqlCommand(
            "SELECT current_setting('search_path') || current_setting('row_security') || (pg_current_xact_id_if_assigned() IS NULL)",
            connection
        );
        var before = await settings.ExecuteScalarAsync(Token);

        await SourceInspector.InspectAsync(connection, Source, Token);

        Assert.Equal(before, await settings.ExecuteScalarAsync(Token));
    }
}
