using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Triggers that make rows go without deleting them: no counter of deleted rows knows of those.</summary>
public sealed class EmptiedTableTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("TRUNCATE public.notes")]
    [InlineData("TRUNCATE public.yearly")]
    [InlineData("DROP TABLE public.notes")]
    [InlineData("EXECUTE 'ALTER TABLE public.yearly DETACH PARTITION public.y2020'")]
    [InlineData("PERFORM lo_unlink(m.oid) FROM pg_catalog.pg_largeobject_metadata AS m JOIN public.notes AS n ON n.file = m.oid")]
    public async Task Nothing_goes_when_a_trigger_would_take_along_rows_that_nobody_archived(string effect)
    {
        await using var archiver = await WithTriggerAsync(effect);
        var precious = await PreciousAsync(archiver);

        var archived = await archiver.RunAsync("archive");

        Assert.Equal((1, 2), (archived.ExitCode, await archiver.LiveSessionsAsync()));
        Assert.Contains("delete would change other rows", archived.Output, StringComparison.Ordinal);
        Assert.Equal(precious, await PreciousAsync(archiver));
    }

    // What triggers of applications do beside that, and what takes nobody's rows.
    [Theory]
    [InlineData("LOCK TABLE public.notes")]
    [InlineData("CREATE TEMP TABLE IF NOT EXISTS scratch (x int); TRUNCATE pg_temp.scratch; DROP TABLE pg_temp.scratch")]
    [InlineData("REFRESH MATERIALIZED VIEW public.totals")]
    public async Task A_trigger_that_locks_refreshes_or_works_with_a_temporary_table_is_in_nobodys_way(string effect)
    {
        await using var archiver = await WithTriggerAsync(effect);

        var archived = await archiver.RunAsync("archive");

        Assert.True(archived.ExitCode == 0, archived.Output + archived.Error);
        Assert.Equal(0, await archiver.LiveSessionsAsync());
    }

    private async Task<Installation> WithTriggerAsync(string effect)
    {
        var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.Database.ExecuteAsync(
            $"""
            CREATE TABLE notes (note text, file oid);
            INSERT INTO notes VALUES ('precious', lo_from_bytea(0, 'precious'));
            CREATE TABLE yearly (year int, note text) PARTITION BY LIST (year);
            CREATE TABLE y2020 PARTITION OF yearly FOR VALUES IN (2020);
            INSERT INTO yearly VALUES (2020, 'precious');
            CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS messages FROM chat_messages;
            CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {effect}; RETURN NULL; END $$;
            CREATE TRIGGER tidy AFTER DELETE ON chat_sessions FOR EACH STATEMENT EXECUTE FUNCTION tidy();
            -- Statistics are what tells a table of everybody's that is dropped from one of the transaction's own.
            SELECT pg_stat_force_next_flush();
            """,
            Token
        );
        return archiver;
    }

    private static async Task<string> PreciousAsync(Installation archiver) =>
        await archiver.Database.CopyOutAsync("SELECT note, convert_from(lo_get(file), 'UTF8') FROM notes")
        + await archiver.Database.CopyOutAsync("SELECT * FROM yearly");
}
