using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Integration.Tests.Restore;
using Archiver.Testing;
using Npgsql;

namespace Archiver.Integration.Tests.Roles;

/// <summary>The main job with exactly the privileges of <c>sql/roles.sql</c>.</summary>
public sealed class LeastPrivilegeTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ended-at", "")]
    [InlineData("last-accessed", "SET archiver.session = 'public.sessions'; SET archiver.children = 'public.messages';")]
    [InlineData(
        "status-expiry",
        "SET archiver.session = 'public.sessions'; SET archiver.marks = 'status'; SET archiver.children = 'public.messages';"
    )]
    [InlineData("soft-delete", "SET archiver.session = 'public.chat_sessions'; SET archiver.children = 'public.chat_messages';")]
    public async Task Archives_every_preset_with_the_privileges_of_the_script(string preset, string settings)
    {
        await using var role = new TestRole(servers);
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, preset: preset, configure: role.Use);
        await role.GrantAsync(archiver.Database, Token, settings);

        var summary = await archiver.RunAsync(Token);
        var refused = await archiver.RestoreAsync(RestoreFixture.Everything with { Reactivate = true }, Token);
        await role.GrantAsync(archiver.Database, Token, $"{settings} SET archiver.restore = on;");
        var restored = await archiver.RestoreAsync(RestoreFixture.Everything with { Reactivate = true }, Token);

        Assert.Equal((null, RunOutcome.Done, 20L), (summary.Error, summary.Outcome, summary.Sessions));
        Assert.Equal((RunOutcome.Failed, 0L), (refused.Outcome, refused.Restored));
        Assert.Contains("sql/roles.sql", refused.Error, StringComparison.Ordinal);
        Assert.Equal((null, RunOutcome.Done, 20L), (restored.Error, restored.Outcome, restored.Restored));
    }

    [Fact]
    public async Task Finds_a_locked_session_without_any_further_privilege()
    {
        await using var role = new TestRole(servers);
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, configure: role.Use);
        await role.GrantAsync(archiver.Database, Token);
        await using var writer = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var writing = await writer.BeginTransactionAsync(Token);
        await archiver.ExecuteAsync(
            "SELECT FROM chat_messages WHERE session_id = $1 FOR UPDATE",
            await archiver.AnyIdleAsync(Token),
            writer
        );

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, 19L), (summary.Outcome, summary.Sessions));
        Assert.Equal(1, summary.Reasons["locked by another transaction"]);
    }

    [Fact]
    public async Task Grants_nothing_beyond_reading_locking_and_deleting()
    {
        await using var role = new TestRole(servers);
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token);
        await role.GrantAsync(archiver.Database, Token);

        var held = await archiver.Database.ScalarAsync<string[]>(
            $"""
            SELECT array_agg(concat_ws(' ', t.name, p.name) ORDER BY t.name, p.name)
            FROM unnest(ARRAY['chat_messages', 'chat_sessions']) AS t (name),
                 unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS p (name)
            WHERE has_table_privilege('{role.Name}', 'public.' || t.name, p.name)
            """,
            Token
        );
        var columns = await archiver.Database.ScalarAsync<string[]>(
            $"""
            SELECT array_agg(concat_ws('.', a.attrelid::regclass, a.attname) ORDER BY a.attrelid::regclass::text, a.attname)
            FROM pg_attribute AS a
            WHERE a.attrelid = ANY (ARRAY['chat_messages', 'chat_sessions']::regclass[]) AND a.attnum > 0
              AND has_column_privilege('{role.Name}', a.attrelid, a.attnum, 'UPDATE')
            """,
            Token
        );

        Assert.Equal(["chat_messages DELETE", "chat_messages SELECT", "chat_sessions DELETE", "chat_sessions SELECT"], held!);
        Assert.Equal(
            ["chat_messages.id", "chat_sessions.archive_location", "chat_sessions.archived", "chat_sessions.session_id"],
            columns!
        );
        Assert.False(
            await archiver.Database.ScalarAsync<bool>($"SELECT has_database_privilege('{role.Name}', current_database(), 'CREATE')", Token)
        );
    }

    [Fact]
    public async Task Hands_over_a_ledger_that_a_superuser_made()
    {
        await using var role = new TestRole(servers);
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, configure: role.Use);
        await using (var first = await archiver.Database.DataSource.OpenConnectionAsync(Token))
            await Migrator.MigrateAsync(first, Token);

        await role.GrantAsync(archiver.Database, Token);
        await role.GrantAsync(archiver.Database, Token);
        var summary = await archiver.RunAsync(Token);

        Assert.Equal((null, RunOutcome.Done, 20L), (summary.Error, summary.Outcome, summary.Sessions));
    }

    [Fact]
    public async Task Shows_applications_the_list_of_archived_sessions_and_nothing_else()
    {
        await using var role = new TestRole(servers);
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, configure: role.Use);
        await role.GrantAsync(archiver.Database, Token);
        await archiver.RunAsync(Token);
        await role.GrantAsync(archiver.Database, Token);
        await using var application = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await archiver.ExecuteAsync($"SET ROLE {role.Reader}", null, application);

        await using var list = new NpgsqlCommand("SELECT count(*) FROM archiver.archived_sessions", application);
        Assert.Equal(20L, await list.ExecuteScalarAsync(Token));
        await using var parts = new NpgsqlCommand("SELECT count(*) FROM archiver.archived_parts", application);
        Assert.Equal(0L, await parts.ExecuteScalarAsync(Token));
        foreach (
            var denied in new[] { "SELECT FROM archiver.archives", "SELECT FROM archiver.objects", "SELECT FROM public.chat_messages" }
        )
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => archiver.ExecuteAsync(denied, null, application));
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        }
    }

    [Fact]
    public async Task Grants_on_names_with_blanks_and_commas()
    {
        await using var role = new TestRole(servers);
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token);
        await archiver.Database.ExecuteAsync(
            """
            CREATE SCHEMA "my app";
            CREATE TABLE "my app"."chat, all" (id int PRIMARY KEY, "is archived" boolean, "where, else" text);
            CREATE TABLE "my app"."the messages" (id int PRIMARY KEY);
            """,
            Token
        );

        await role.GrantAsync(
            archiver.Database,
            Token,
            """
            SET archiver.session = '"my app"."chat, all"';
            SET archiver.children = '"my app"."the messages" , public.chat_messages';
            SET archiver.marks = 'is archived, "where, else"';
            """
        );

        Assert.True(
            await archiver.Database.ScalarAsync<bool>(
                $"""
                SELECT has_table_privilege('{role.Name}', '"my app"."chat, all"', 'SELECT, DELETE')
                  AND has_table_privilege('{role.Name}', '"my app"."the messages"', 'DELETE')
                   AND has_table_privilege('{role.Name}', 'chat_messages', 'DELETE')
                     AND has_column_privilege('{role.Name}', '"my app"."chat, all"', 'is archived', 'UPDATE')
                   AND has_column_privilege('{role.Name}', '"my app"."chat, all"', 'where, else', 'UPDATE')
                """
            )
        );
    }
}
