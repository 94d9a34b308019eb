using Archiver.Core.Inspection;
using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Sources;

public sealed class PrivilegeInspectionTests(TestServers servers, DatabaseFixture fixture) : InspectionTests(servers, fixture)
{
    [Fact]
    public async Task Refuses_a_role_without_rights_and_grants_exactly_what_a_run_needs()
    {
        await using var role = await TestRole.CreateAsync(Servers, Token);
        await using var database = await OwnDatabaseAsync("REVOKE ALL ON SCHEMA public FROM PUBLIC");
        var problems = (await InspectAsync(database, role: role.Name)).Problems;
        Assert.Equal(3, problems.Count);
        Assert.Contains($"GRANT USAGE ON SCHEMA \"public\" TO \"{role.Name}\";", problems[0], StringComparison.Ordinal);
        Assert.Contains("lacks SELECT, DELETE, UPDATE on table public.chat_sessions (session)", problems[1], StringComparison.Ordinal);
        Assert.Contains("lacks SELECT, DELETE, UPDATE on table public.chat_messages (messages)", problems[2], StringComparison.Ordinal);

        foreach (var problem in problems)
            await ApplyAsync(database, problem);

        Assert.Empty((await InspectAsync(database, role: role.Name)).Problems);
        await RunStatementsAsync(database, role.Name);
    }

    [Fact]
    public async Task Is_content_with_UPDATE_on_one_column_as_the_server_is()
    {
        await using var role = await TestRole.CreateAsync(Servers, Token);
        await using var database = await OwnDatabaseAsync(
            $"""
            GRANT USAGE ON SCHEMA public TO {role.Name};
            GRANT SELECT, DELETE, UPDATE (archived) ON public.chat_sessions TO {role.Name};
            GRANT SELECT, DELETE, UPDATE (role) ON public.chat_messages TO {role.Name}
            """
        );

        Assert.Empty((await InspectAsync(database, role: role.Name)).Problems);
        await RunStatementsAsync(database, role.Name);
    }

    [Theory]
    [InlineData("SELECT")]
    [InlineData("DELETE")]
    [InlineData("UPDATE")]
    public async Task Refuses_a_role_that_lacks_one_privilege(string privilege)
    {
        await using var role = await TestRole.CreateAsync(Servers, Token);
        await using var database = await OwnDatabaseAsync(
            $"""
            GRANT USAGE ON SCHEMA public TO {role.Name};
            GRANT SELECT, DELETE, UPDATE ON public.chat_sessions, public.chat_messages TO {role.Name};
            REVOKE {privilege} ON public.chat_messages FROM {role.Name}
            """
        );
        var problem = Assert.Single((await InspectAsync(database, role: role.Name)).Problems);
        Assert.Contains($"GRANT {privilege} ON \"public\".\"chat_messages\" TO \"{role.Name}\";", problem, StringComparison.Ordinal);

        await ApplyAsync(database, problem);

        Assert.Empty((await InspectAsync(database, role: role.Name)).Problems);
    }

    [Fact]
    public async Task Refuses_a_role_that_may_not_set_the_mark_that_a_policy_sets()
    {
        await using var role = await TestRole.CreateAsync(Servers, Token);
        await using var database = await OwnDatabaseAsync(
            $"""
            GRANT USAGE ON SCHEMA public TO {role.Name};
            GRANT SELECT, DELETE, UPDATE (archived) ON public.chat_sessions TO {role.Name};
            GRANT SELECT, DELETE, UPDATE ON public.chat_messages TO {role.Name}
            """
        );
        var policy = new Policy
        {
            Source = "main",
            Name = "copy",
            Action = PolicyAction.Archive,
            IdleFor = TimeSpan.FromDays(90),
            Delete = DeleteMode.Nothing,
        };
        var source = Source with { Policies = [policy] };
        var problem = Assert.Single((await InspectAsync(database, source, role.Name)).Problems);
        Assert.Contains("may not update column \"archive_location\" of table public.chat_sessions", problem, StringComparison.Ordinal);

        await ApplyAsync(database, problem);

        Assert.Empty((await InspectAsync(database, source, role.Name)).Problems);
    }

    [Fact]
    public async Task Warns_of_a_table_that_points_to_sessions_and_cannot_be_read()
    {
        await using var role = await TestRole.CreateAsync(Servers, Token);
        await using var database = await OwnDatabaseAsync(
            $"""
            GRANT USAGE ON SCHEMA public TO {role.Name};
            GRANT SELECT, DELETE, UPDATE ON public.chat_sessions, public.chat_messages TO {role.Name};
            CREATE TABLE public.pins (session_id uuid REFERENCES public.chat_sessions);
            CREATE INDEX ON public.pins (session_id)
            """
        );
        var warning = Assert.Single((await InspectAsync(database, role: role.Name)).Warnings);
        Assert.Contains($"Role {role.Name} may not read table public.pins", warning, StringComparison.Ordinal);

        await ApplyAsync(database, warning);

        Assert.Empty((await InspectAsync(database, role: role.Name)).Warnings);
    }

    [Fact]
    public async Task Refuses_row_level_security_that_the_role_cannot_bypass()
    {
        await using var role = await TestRole.CreateAsync(Servers, Token);
        await using var database = await OwnDatabaseAsync(
            $"""
            GRANT USAGE ON SCHEMA public TO {role.Name};
            GRANT SELECT, DELETE, UPDATE ON public.chat_sessions, public.chat_messages TO {role.Name};
            ALTER TABLE public.chat_messages ENABLE ROW LEVEL SECURITY
            """
        );
        var policy = new Policy
        {
            Source = "main",
            Name = "idle",
            Action = PolicyAction.Archive,
            IdleFor = TimeSpan.FromDays(90),
            Where = "s.user_id IS NOT NULL",
        };
        var source = Source with { Policies = [policy] };
        var problem = Assert.Single((await InspectAsync(database, source, role.Name)).Problems);
        Assert.Contains("Row level security is on for table public.chat_messages (messages)", problem, StringComparison.Ordinal);
        Assert.Contains($"Give BYPASSRLS to role {role.Name} where it is the archiver's alone", problem, StringComparison.Ordinal);
        Assert.DoesNotContain(Findings.Fix, problem, StringComparison.Ordinal);
        Assert.Empty((await InspectAsync(database, source)).Problems);

        await database.ExecuteAsync($"ALTER ROLE {role.Name} BYPASSRLS", Token);

        Assert.Empty((await InspectAsync(database, source, role.Name)).Problems);
    }

    /// <summary>What export and delete do, as far as privileges go.</summary>
    private static async Task RunStatementsAsync(TestDatabase database, string role) =>
        await database.ExecuteAsync(
            $"""
            BEGIN;
            SET LOCAL ROLE {role};
            LOCK TABLE public.chat_sessions, public.chat_messages IN ACCESS SHARE MODE;
            LOCK TABLE public.chat_sessions, public.chat_messages IN ROW EXCLUSIVE MODE;
            SELECT FROM public.chat_sessions FOR UPDATE SKIP LOCKED;
            SELECT FROM public.chat_messages FOR UPDATE SKIP LOCKED;
            DELETE FROM public.chat_messages AS t WHERE t.session_id IS NOT NULL RETURNING t.ctid, t.xmin, t.tableoid;
            DELETE FROM public.chat_sessions AS t WHERE t.session_id IS NOT NULL RETURNING t.ctid;
            ROLLBACK
            """,
            Token
        );
}
