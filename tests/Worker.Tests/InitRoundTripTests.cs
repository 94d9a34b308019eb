using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// What <c>archiver init --yes</c> writes and prints is done as it stands: the statements are run, the configuration archives and restores,
/// and the application goes on.
/// </summary>
public sealed class InitRoundTripTests(TestServers servers)
{
    public static TheoryData<string, string, string, int> Applications =>
        new()
        {
            { "Chatbot UI", InitApplications.ChatbotUi, InitApplications.ChatbotUiWrites, 8 },
            { "Mastra", InitApplications.Mastra, InitApplications.MastraWrites, 8 },
            { "sessions without a row", InitApplications.SessionsWithoutARow, InitApplications.SessionsWithoutARowWrites, 8 },
            { "keys of tenants", InitApplications.Tenants, InitApplications.TenantsWrites, 8 },
            { "chats in one row", InitApplications.ChatsInOneRow, InitApplications.ChatsInOneRowWrites, 8 },
        };

    [Theory]
    [MemberData(nameof(Applications))]
    public async Task Maps_an_application_that_no_preset_knows_and_archives_and_restores_it(
        string name,
        string schema,
        string writes,
        int idle
    )
    {
        await using var desk = await InitDesk.CreateAsync(servers, schema);
        var init = await desk.InitAsync();
        Assert.True(init.ExitCode == 0, name + init.Error);
        Assert.Contains($"main/idle (Archive): takes {idle} of 12 sessions", init.Output, StringComparison.Ordinal);

        await ArchivesAndRestoresAsync(desk, init, idle, writes);
    }

    [Theory]
    [InlineData(
        "ended-at",
        "INSERT INTO chat_sessions (session_id) VALUES (gen_random_uuid()); DELETE FROM chat_sessions WHERE session_id "
            + "IN (SELECT session_id FROM chat_sessions WHERE last_activity > now() - interval '60 days' LIMIT 1)"
    )]
    [InlineData(
        "last-accessed",
        "INSERT INTO sessions (id) VALUES (gen_random_uuid()); DELETE FROM sessions WHERE id IN (SELECT id FROM "
            + "sessions WHERE last_accessed > now() - interval '60 days' LIMIT 1)"
    )]
    [InlineData("status-expiry", "INSERT INTO sessions (session_id) VALUES ('new'); DELETE FROM sessions WHERE session_id = 'new'")]
    [InlineData("soft-delete", "INSERT INTO chat_sessions (title) VALUES ('new'); DELETE FROM chat_sessions WHERE title = 'new'")]
    public async Task Recognises_each_sample_schema_and_archives_and_restores_it(string preset, string writes)
    {
        await using var desk = await InitDesk.OfPresetAsync(servers, preset);

        var init = await desk.InitAsync();

        Assert.True(init.ExitCode == 0, init.Error);
        Assert.Contains($"its chats are those of {preset} (preset)", init.Output, StringComparison.Ordinal);
        Assert.Contains(
            $"\"Preset\": \"{preset}\"",
            await File.ReadAllTextAsync(desk.File, TestContext.Current.CancellationToken),
            StringComparison.Ordinal
        );
        await ArchivesAndRestoresAsync(desk, init, 6, writes);
    }

    private static async Task ArchivesAndRestoresAsync(InitDesk desk, ProcessResult init, int idle, string writes)
    {
        var before = await desk.RowsAsync();
        var role = await desk.FollowAsync(init);
        // A test's source is small, so the share of it is large.
        foreach (var verb in new[] { "migrate", "plan" })
        {
            var result = await desk.ArchiverAsync(role, verb);
            Assert.True(result.ExitCode == 0, verb + result.Error);
        }
        var archive = await desk.ArchiverAsync(role, "archive");
        Assert.True(archive.ExitCode == 0, archive.Error);
        Assert.Contains($"{idle} sessions archived", archive.Output, StringComparison.Ordinal);
        Assert.NotEqual(before, await desk.RowsAsync());

        var restore = await desk.ArchiverAsync(role, "restore", "--from", "2000-01-01");

        Assert.True(restore.ExitCode == 0, restore.Error);
        Assert.Equal(before, await desk.RowsAsync());
        await desk.Database.ExecuteAsync(writes);
    }
}
