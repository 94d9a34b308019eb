using Archiver.Testing;

namespace Archiver.Integration.Tests.ApplicationSchemas;

public sealed class LastAccessedSchemaTests(LastAccessedSchemaTests.Data data)
    : ApplicationSchemaTests(data, Names),
        IClassFixture<LastAccessedSchemaTests.Data>
{
    private static readonly SchemaNames Names = new()
    {
        Sessions = "public.sessions",
        Key = "id",
        Activity = "last_accessed",
        Messages = "public.messages",
        MessageTime = "created_at",
        NewestFirst = "created_at DESC, id DESC",
        NewestIndex = "messages_newest_idx",
        ArchivingIndex = "sessions_archiving_idx",
    };

    [Fact]
    public async Task Reading_a_session_moves_last_accessed_and_leaves_updated_at_alone()
    {
        var session = await OldSessionAsync();

        Assert.True(await Database.ScalarAsync<bool>($"SELECT public.update_session_last_accessed('{session}')", Token));

        Assert.Equal("t\tf\n", await MovedAsync(session));
    }

    [Fact]
    public async Task Reading_touches_no_other_session()
    {
        var read = await OldSessionAsync();
        var other = await OldSessionAsync();

        await Database.ScalarAsync<bool>($"SELECT public.update_session_last_accessed('{read}')", Token);

        Assert.Equal("f\tf\n", await MovedAsync(other));
    }

    [Fact]
    public async Task Reading_a_session_that_is_not_there_says_so() =>
        Assert.Equal("f\n", await Database.CopyOutAsync("SELECT public.update_session_last_accessed(gen_random_uuid())", Token));

    [Fact]
    public async Task Changing_a_session_moves_updated_at()
    {
        var session = await OldSessionAsync();

        await Database.ExecuteAsync($"UPDATE public.sessions SET title = 'changed' WHERE id = '{session}'", Token);

        Assert.Equal("f\tt\n", await MovedAsync(session));
    }

    [Fact]
    public async Task An_update_that_changes_nothing_moves_nothing()
    {
        var session = await OldSessionAsync();

        await Database.ExecuteAsync($"UPDATE public.sessions SET title = title WHERE id = '{session}'", Token);

        Assert.Equal("f\tf\n", await MovedAsync(session));
    }

    [Fact]
    public async Task A_time_that_the_statement_sets_itself_is_kept()
    {
        var session = await OldSessionAsync();

        await Database.ExecuteAsync(
            $"UPDATE public.sessions SET title = 'repaired', updated_at = '2021-05-06 00:00Z' WHERE id = '{session}'",
            Token
        );

        Assert.True(
            await Database.ScalarAsync<bool>($"SELECT updated_at = '2021-05-06 00:00Z' FROM public.sessions WHERE id = '{session}'", Token)
        );
    }

    private Task<Guid> OldSessionAsync() =>
        Database.ScalarAsync<Guid>(
            """
            INSERT INTO public.sessions (user_id, created_at, updated_at, last_accessed)
            VALUES ('test', '2020-01-01 00:00Z', '2020-01-01 00:00Z', '2020-01-01 00:00Z')
            RETURNING id
            """,
            Token
        );

    /// <summary>Whether last_accessed, and whether updated_at, is of this test.</summary>
    private Task<string> MovedAsync(Guid session) =>
        Database.CopyOutAsync(
            $"""
            SELECT last_accessed > now() - interval '10 minutes', updated_at > now() - interval '10 minutes'
            FROM public.sessions WHERE id = '{session}'
            """,
            Token
        );

    public sealed class Data(TestServers servers) : ApplicationSchemaData(servers, "last-accessed");
}
