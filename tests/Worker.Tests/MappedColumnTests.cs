using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Holds name sessions and users by the values of two columns; another mapping must not make them cover nobody.</summary>
public sealed class MappedColumnTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Key", "number")]
    [InlineData("User", "account")]
    [InlineData("User", "")]
    public async Task What_is_held_stays_when_the_mapping_names_another_column(string role, string column)
    {
        await using var archiver = await CreateAsync();
        string[] hold = role == "Key" ? ["--session", (await SessionAsync(archiver))!] : ["--user", "user-1"];
        Assert.Equal(0, (await archiver.RunAsync(["hold", "add", .. hold, "--reason", "court"])).ExitCode);
        var rows = await archiver.RowsAsync();
        archiver
            .With($"Sources:main:Tables:Session:{role}", column)
            .With("Sources:main:Policies:end:Action", "Purge")
            .With("Sources:main:Policies:end:IdleFor", "90d");

        foreach (var command in new string[][] { ["archive"], ["purge"], ["plan"], ["hold", "list"], ["hold", "remove", "1"] })
        {
            var refused = await archiver.RunAsync(command);
            Assert.True(refused.ExitCode == 3, $"{string.Join(' ', command)}: {refused.ExitCode} {refused.Output} {refused.Error}");
            Assert.Contains("archiver source rename main main", refused.Output + refused.Error, StringComparison.Ordinal);
        }
        Assert.Equal(rows, await archiver.RowsAsync());

        // As it was: the hold holds what it held.
        archiver
            .With($"Sources:main:Tables:Session:{role}", null)
            .With("Sources:main:Policies:end:Action", null)
            .With("Sources:main:Policies:end:IdleFor", null);
        var archived = await archiver.RunAsync("archive");
        Assert.True(archived.ExitCode == 0, archived.Error);
        Assert.InRange(await archiver.LiveSessionsAsync(), 1, 3);
    }

    [Fact]
    public async Task Without_a_mapped_user_every_hold_of_a_user_covers_every_session()
    {
        await using var archiver = await CreateAsync();
        Assert.Equal(0, (await archiver.RunAsync("hold", "add", "--user", "user-1", "--reason", "court")).ExitCode);
        archiver.With("Sources:main:Tables:Session:User", "");

        var renamed = await archiver.RunAsync("source", "rename", "main", "main");
        var archived = await archiver.RunAsync("archive");

        Assert.True(renamed.ExitCode == 0 && archived.ExitCode == 0, renamed.Error + archived.Error);
        Assert.Equal(4, await archiver.LiveSessionsAsync());
        Assert.Equal(0, (await archiver.RunAsync("hold", "remove", "1")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        Assert.Equal(0, await archiver.LiveSessionsAsync());
    }

    [Fact]
    public async Task A_column_that_was_renamed_in_the_table_is_the_same_column()
    {
        await using var archiver = await CreateAsync();
        Assert.Equal(0, (await archiver.RunAsync("hold", "add", "--user", "user-1", "--reason", "court")).ExitCode);
        Assert.Equal(
            0,
            (await archiver.RunAsync("hold", "add", "--session", (await SessionAsync(archiver))!, "--reason", "court")).ExitCode
        );
        await archiver.Database.ExecuteAsync(
            "ALTER TABLE chat_sessions RENAME COLUMN user_id TO owner; ALTER TABLE chat_sessions RENAME COLUMN session_id TO id",
            Token
        );
        archiver
            .With("Sources:main:Tables:Session:User", "owner")
            .With("Sources:main:Tables:Session:Key", "id")
            .With("Sources:main:Tables:Children:messages:ParentKey", "id");

        var archived = await archiver.RunAsync("archive");

        Assert.True(archived.ExitCode == 0, archived.Error);
        Assert.Equal(
            "true",
            await archiver.Database.ScalarAsync<string>(
                "SELECT bool_and(owner = 'user-1' OR id = (SELECT "
                    + "h.session_id::uuid FROM archiver.holds AS h WHERE h.session_id IS NOT NULL))::text FROM chat_sessions"
            )
        );
        Assert.NotEqual(0, await archiver.LiveSessionsAsync());
    }

    // Nothing in the ledger names a session or a user yet.
    [Fact]
    public async Task Before_anything_is_held_or_archived_the_mapping_may_change()
    {
        await using var archiver = await CreateAsync();
        Assert.Equal(0, (await archiver.RunAsync("migrate")).ExitCode);

        var archived = await archiver
            .With("Sources:main:Tables:Session:Key", "number")
            .With("Sources:main:Tables:Session:User", "account")
            .RunAsync("archive");

        Assert.True(archived.ExitCode == 0, archived.Error);
        Assert.Equal(0, await archiver.LiveSessionsAsync());
    }

    private async Task<Installation> CreateAsync()
    {
        var archiver = await Installation.CreateAsync(servers, Token, idle: 4, young: 0);
        await archiver.Database.ExecuteAsync(
            """
            ALTER TABLE chat_sessions ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY UNIQUE, ADD COLUMN account text;
            UPDATE chat_sessions SET user_id = 'user-' || number, account = 'acc-' || number;
            """,
            Token
        );
        return archiver;
    }

    private static Task<string?> SessionAsync(Installation archiver) =>
        archiver.Database.ScalarAsync<string?>("SELECT min(session_id::text) FROM chat_sessions", Token);
}
