using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>What a person is told names what they know: their tables, their options, and only what happened.</summary>
public sealed class MessageTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("erase", "ID", "--yes")]
    [InlineData("discard", "--yes")]
    public async Task A_command_that_is_refused_before_it_begins_prints_no_receipt(params string[] arguments)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0, ledger: false);
        archiver.With("AutoMigrate", "false").With("Discard:After", "365d");

        var result = await archiver.RunAsync([.. arguments.Select(a => a == "ID" ? $"{Guid.Empty}" : a)]);

        Assert.NotEqual(0, result.ExitCode);
        Assert.Equal("", result.Output);
        Assert.Contains("archiver migrate", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_generation_that_is_not_there_is_what_the_refusal_is_about()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        var id = (await archiver.Database.ScalarAsync<string>("SELECT session_id::text FROM chat_sessions"))!;
        await archiver.RunAsync("archive");

        var result = await archiver.RunAsync("restore", id, "--generation", "7");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("the ledger has no generation 7 of it", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("of 0 sessions", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_findings_of_inspection_stand_on_lines_of_their_own_in_the_status()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.RunAsync("migrate");
        await archiver.Database.ExecuteAsync(
            "ALTER TABLE chat_sessions DROP COLUMN user_id; ALTER TABLE chat_messages DROP COLUMN timestamp"
        );
        await archiver.RunAsync("archive");

        var status = await archiver.RunAsync("status");

        Assert.Contains(
            "\n      - Table public.chat_sessions (session) has no column \"user_id\"",
            status.Output,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("\\u000A", status.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("plan")]
    [InlineData("archive")]
    [InlineData("status")]
    public async Task A_condition_that_fails_on_one_row_is_named_with_the_key_of_that_row(string verb)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 5, young: 1);
        await archiver.RunAsync("migrate");
        var id = await archiver.Database.ScalarAsync<string>(
            "UPDATE chat_sessions SET session_title = '0' WHERE session_id = (SELECT "
                + "session_id FROM chat_sessions WHERE last_activity < now() - interval '90 days' ORDER BY session_id OFFSET 3 LIMIT 1) "
                + "RETURNING session_id::text"
        );
        await archiver.Database.ExecuteAsync($"UPDATE chat_sessions SET session_title = '5' WHERE session_id <> '{id}'");
        archiver.With("Sources:main:Policies:idle:Where", "10 / s.session_title::int > 1");

        var result = await archiver.RunAsync(verb);

        Assert.Equal(verb == "status" ? 0 : 1, result.ExitCode);
        Assert.Contains(
            $"Where of policy 'main/idle' fails for session '{id}' with 22012 (division_by_zero)",
            result.Output + result.Error,
            StringComparison.Ordinal
        );
    }

    // The code of a lock that did not come, by a function of the application: nobody has a lock.
    [Fact]
    public async Task A_condition_whose_function_refuses_one_row_is_named_with_its_key_whatever_the_code()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.RunAsync("migrate");
        var id = await archiver.Database.ScalarAsync<string>("SELECT max(session_id::text) FROM chat_sessions");
        await archiver.Database.ExecuteAsync(
            $"""
            CREATE FUNCTION fits(id uuid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
              IF id = '{id}' THEN RAISE EXCEPTION 'no' USING ERRCODE = '55P03'; END IF; RETURN true; END $$
            """
        );
        archiver.With("Sources:main:Policies:idle:Where", "public.fits(s.session_id)");

        var result = await archiver.RunAsync("plan");

        Assert.Contains($"fails for session '{id}' with 55P03", result.Output + result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("reconcile")]
    [InlineData("ledger rebuild")]
    [InlineData("hold add --from 2020-01-01 --reason case")]
    public async Task A_mapped_table_that_is_gone_is_named_with_what_to_do(string verb)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.RunAsync("archive");
        await archiver.Database.ExecuteAsync("DROP TABLE chat_messages");

        var result = await archiver.RunAsync(verb.Split(' '));

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("names what does not exist: table public.chat_messages.", result.Error, StringComparison.Ordinal);
        Assert.Contains("archiver plan says all that is missing", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_drill_beside_a_live_session_names_the_tables_that_the_user_has()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.Database.ExecuteAsync("CREATE TABLE copy AS TABLE chat_sessions");
        await archiver.RunAsync("archive");
        await archiver.Database.ExecuteAsync(
            "INSERT INTO chat_sessions SELECT * FROM copy; ALTER TABLE chat_messages ADD CONSTRAINT small "
                + "CHECK (length(content) < 0) NOT VALID"
        );

        var result = await archiver.RunAsync("verify", "--restore-drill", "1");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(
            "constraint 'small' of public.chat_messages does not allow its rows",
            result.Output + result.Error,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("pg_temp", result.Output + result.Error, StringComparison.Ordinal);
    }
}
