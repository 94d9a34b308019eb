using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary><c>archiver init</c> where tables only look as if they belonged to the sessions.</summary>
public sealed class InitTieTests(TestServers servers)
{
    private const string TwoChats = """
        CREATE TABLE support_chats (id {0} PRIMARY KEY, user_id text, updated_at timestamptz NOT NULL);
        CREATE TABLE team_chats (id {0} PRIMARY KEY, user_id text, updated_at timestamptz NOT NULL);
        CREATE TABLE {1} (id bigserial PRIMARY KEY, chat_id {0} NOT NULL, role text, content text, created_at timestamptz NOT NULL);
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Messages_of_another_chat_stay_although_their_numbers_are_found_in_both()
    {
        await using var desk = await InitDesk.CreateAsync(
            servers,
            Two("bigint", "support_messages")
                + """
                CREATE TABLE team_messages (LIKE support_messages INCLUDING ALL);
                INSERT INTO support_chats SELECT i, 'u', now() - interval '200 days' FROM generate_series(1, 12) i;
                INSERT INTO team_chats SELECT * FROM support_chats;
                INSERT INTO support_messages SELECT id, id, 'user', 'hi', updated_at FROM support_chats;
                INSERT INTO team_messages SELECT id, id, 'user', 'hi', updated_at FROM team_chats;
                """
        );

        var result = await desk.InitAsync("--sessions", "support_chats");

        Assert.True(result.ExitCode == 0, result.Error);
        var text = await File.ReadAllTextAsync(desk.File, Token);
        Assert.Contains("\"Table\": \"public.support_messages\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("team_messages", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Values_tell_which_of_two_chats_has_the_messages_where_their_names_do_not()
    {
        await using var desk = await InitDesk.CreateAsync(
            servers,
            Two("uuid", "messages")
                + """
                INSERT INTO support_chats SELECT gen_random_uuid(), 'u', now() FROM generate_series(1, 12);
                INSERT INTO team_chats SELECT gen_random_uuid(), 'u', now() FROM generate_series(1, 12);
                INSERT INTO messages (chat_id, role, content, created_at) SELECT id, 'user', 'hi', updated_at FROM team_chats;
                """
        );

        var result = await desk.InitAsync();

        Assert.True(result.ExitCode == 0, result.Error);
        var text = await File.ReadAllTextAsync(desk.File, Token);
        Assert.Contains("\"Table\": \"public.team_chats\"", text, StringComparison.Ordinal);
        Assert.Contains("\"Table\": \"public.messages\"", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "dify",
        "message_annotations",
        "INSERT INTO message_annotations (app_id, conversation_id, content, account_id) SELECT id, id, 'curated', id FROM conversations"
    )]
    [InlineData("dify", "saved_messages", "CREATE TABLE saved_messages (id uuid PRIMARY KEY, message_id uuid NOT NULL)")]
    [InlineData(
        "n8n-executions",
        "chat_hub_messages",
        """
            CREATE TABLE chat_hub_sessions (id uuid PRIMARY KEY);
            CREATE TABLE chat_hub_messages (id uuid PRIMARY KEY, "sessionId" uuid NOT NULL REFERENCES chat_hub_sessions ON DELETE CASCADE,
              "executionId" int REFERENCES execution_entity ON DELETE SET NULL, type text, content text, "createdAt" timestamptz NOT NULL)
            """
    )]
    public async Task What_an_application_uses_without_its_sessions_stays(string preset, string table, string more)
    {
        var schema = await File.ReadAllTextAsync(Repository.File("tests", "Testing", "applications", $"{preset}.sql"), Token);
        await using var desk = await InitDesk.CreateAsync(servers, $"{schema}\n{more}");

        var result = await desk.InitAsync();

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains($"its chats are those of {preset} (preset)", result.Output, StringComparison.Ordinal);
        Assert.Contains($"preset {preset} leaves it", result.Output, StringComparison.Ordinal);
        var text = await File.ReadAllTextAsync(desk.File, Token);
        Assert.Contains($"Left out: public.{table}.", text, StringComparison.Ordinal);
        Assert.DoesNotContain($"\"Table\": \"public.{table}\"", text, StringComparison.Ordinal);
    }

    private static string Two(string key, string messages) =>
        TwoChats.Replace("{0}", key, StringComparison.Ordinal).Replace("{1}", messages, StringComparison.Ordinal);
}
