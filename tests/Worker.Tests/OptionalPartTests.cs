using System.Text.RegularExpressions;
using Archiver.Core.Diagnostics;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>What a preset calls optional and the database lacks.</summary>
public sealed partial class OptionalPartTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_column_or_table_that_is_missing_is_a_warning_and_nothing_else()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, preset: "status-expiry");
        await archiver.Database.ExecuteAsync("ALTER TABLE sessions DROP COLUMN user_id", Token);

        var plan = await archiver.RunAsync("plan");
        var archived = await archiver.RunAsync("archive");

        Assert.Equal((0, 0), (plan.ExitCode, archived.ExitCode));
        Assert.Contains("for Session:User: the source goes without it, as its preset allows.", archived.Error, StringComparison.Ordinal);
        Assert.Contains("20 sessions archived", archived.Output, StringComparison.Ordinal);
        // Nobody can tell whose a session is, and nobody is told that a user has none.
        Assert.Equal(2, (await archiver.RunAsync("erase", "--user", "user-1", "--yes")).ExitCode);
    }

    /// <summary>Without the role a hold of that user would cover nothing.</summary>
    [Fact]
    public async Task A_user_column_that_is_gone_is_a_refusal_where_the_ledger_knows_users()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, preset: "status-expiry");
        Assert.Equal(0, (await archiver.RunAsync("hold", "add", "--user", "user-1", "--reason", "court")).ExitCode);
        await archiver.Database.ExecuteAsync("ALTER TABLE sessions RENAME COLUMN user_id TO owner", Token);

        var refused = await archiver.RunAsync("archive");
        var mapped = await archiver.With("Sources:main:Tables:Session:User", "owner").RunAsync("archive");

        Assert.Equal((3, 0), (refused.ExitCode, mapped.ExitCode));
        Assert.Contains("has no column \"user_id\", which is mapped as User", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_column_that_the_configuration_names_itself_is_not_optional()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, preset: "ended-at");
        archiver.With("Sources:main:Tables:Session:ArchiveLocation", "location");

        var plan = await archiver.RunAsync("plan");

        Assert.Equal(3, plan.ExitCode);
        Assert.Contains("has no column \"location\", which is mapped as ArchiveLocation", plan.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_role_is_unset_by_an_empty_variable()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, preset: "ended-at");
        await archiver.Database.ExecuteAsync("ALTER TABLE chat_sessions DROP COLUMN ended_at", Token);

        Assert.Equal(3, (await archiver.RunAsync("plan")).ExitCode);
        Assert.Equal(0, (await archiver.With("Sources:main:Tables:Session:Ended", "").RunAsync("plan")).ExitCode);
    }

    /// <summary>Older versions of Open WebUI keep the copy of a shared chat as another chat, of a user that nobody is.</summary>
    [Fact]
    public async Task Open_WebUI_whose_shared_copies_are_chats_is_refused_until_somebody_goes_without_and_then_these_can_stay()
    {
        var schema = await File.ReadAllTextAsync(Repository.File("tests", "Testing", "applications", "open-webui.sql"), Token);
        const string Older = """
            DROP TABLE shared_chat;
            INSERT INTO chat (id, user_id, title, chat, created_at, updated_at)
            SELECT 'copy', 'shared-' || id, title, chat, created_at, updated_at FROM chat WHERE id = 'c7';
            """;
        await using var archiver = await Installation.CreateAsync(servers, $"{schema}\n{Older}", Token);
        archiver.With("Sources:main:Preset", "open-webui");

        var refused = await archiver.RunAsync("plan");

        Assert.Equal(3, refused.ExitCode);
        Assert.Contains("Table public.shared_chat (shares) does not exist", refused.Error, StringComparison.Ordinal);
        Assert.Contains("Tables:Children:shares:Table null", refused.Error, StringComparison.Ordinal);
        foreach (var statement in Advice().Matches(refused.Error).SelectMany(m => m.Groups[1].Value.Split("; ")))
            await archiver.Database.ExecuteAsync(statement, Token);
        // As docs/applications.md has it.
        archiver
            .With("Sources:main:Tables:Children:shares:Table", "")
            .With(
                "Sources:main:Policies:idle:Where",
                "s.pinned IS NOT TRUE AND s.timer_at IS NULL AND coalesce(s.user_id, '') NOT LIKE 'shared-%'"
            );
        var archived = await archiver.RunAsync("archive");
        Assert.True(archived.ExitCode == 0, archived.Error);
        Assert.Equal(
            "copy",
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(id, ',') FROM chat WHERE id IN ('c7', 'copy')", Token)
        );
    }

    /// <summary>All that runs here goes by the connections of one process, as in a worker.</summary>
    [Fact]
    public async Task A_column_that_comes_while_the_worker_runs_counts_in_the_next_run()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(
            servers,
            Token,
            idle: 4,
            young: 1,
            preset: "last-accessed",
            configure: s => s with { Sources = [s.Sources[0] with { Policies = [s.Sources[0].Policies[0] with { MaxSessions = 1 }] }] }
        );
        await archiver.Database.ExecuteAsync("ALTER TABLE sessions DROP COLUMN last_accessed", Token);
        var without = await archiver.RunAsync(Token);

        var schema = await File.ReadAllTextAsync(Repository.File("sql", "schemas", "last-accessed.sql"), Token);
        await archiver.Database.ExecuteAsync(schema, Token);
        // Somebody reads them all. The trigger would make them young by updated_at, too.
        await archiver.Database.ExecuteAsync(
            "ALTER TABLE sessions DISABLE TRIGGER USER; UPDATE sessions SET last_accessed = now(); "
                + "ALTER TABLE sessions ENABLE TRIGGER USER",
            Token
        );
        var with = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, 1L), (without.Outcome, without.Sessions));
        Assert.Equal((RunOutcome.Done, 0L), (with.Outcome, with.Sessions));
    }

    [GeneratedRegex("Fix it with: (.*)")]
    private static partial Regex Advice();
}
