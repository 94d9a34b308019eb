using Archiver.Testing;
using Npgsql;
using static Archiver.Worker.Tests.InitTables;

namespace Archiver.Worker.Tests;

/// <summary><c>archiver init</c>: what it asks, writes and refuses.</summary>
public sealed class InitVerbTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_terminal_it_says_which_options_answer_its_questions_and_writes_nothing()
    {
        await using var desk = await InitDesk.CreateAsync(servers, TwoChats);

        var result = await desk.RunAsync("init", "--connection", desk.Database.ConnectionString);

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains("--sessions public.chats or --sessions public.threads", result.Error, StringComparison.Ordinal);
        Assert.Contains("--bucket <name>", result.Error, StringComparison.Ordinal);
        Assert.Contains("--yes", result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(desk.Folder));
    }

    [Fact]
    public async Task Options_that_answer_all_questions_are_enough()
    {
        await using var desk = await InitDesk.CreateAsync(servers, TwoChats);

        var result = await desk.RunAsync(
            "init",
            "--connection",
            desk.Database.ConnectionString,
            "--sessions",
            "threads",
            "--folder",
            "/archive",
            "--idle-for",
            "30d",
            "--name",
            "Support",
            "--sql",
            "needed.sql"
        );

        Assert.True(result.ExitCode == 0, result.Error);
        var text = await File.ReadAllTextAsync(desk.File, Token);
        foreach (
            var line in new[]
            {
                "\"support\": {",
                "\"Table\": \"public.threads\"",
                "\"Path\": \"/archive\"",
                "\"IdleFor\": \"30d\"",
                "\"DryRun\": true",
            }
        )
            Assert.Contains(line, text, StringComparison.Ordinal);
        var statements = (await File.ReadAllLinesAsync(Path.Combine(desk.Folder, "needed.sql"), Token))
            .Where(l => !l.StartsWith("--", StringComparison.Ordinal))
            .Select(l => l.TrimEnd(';'));
        Assert.Equal(InitDesk.Statements(result), statements);
    }

    [Fact]
    public async Task A_file_that_is_there_stays_as_it_is_unless_it_may_be_written_over()
    {
        await using var desk = await InitDesk.CreateAsync(servers, TwoChats);
        await File.WriteAllTextAsync(desk.File, "mine", Token);

        var result = await desk.InitAsync();

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains("is there already", result.Error, StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(desk.File, Token));
        Assert.Equal(0, (await desk.InitAsync("--force")).ExitCode);
        Assert.Contains("\"Archiver\"", await File.ReadAllTextAsync(desk.File, Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_password_is_nowhere_unless_it_is_asked_for_and_then_for_one_reader()
    {
        await using var desk = await InitDesk.CreateAsync(servers, TwoChats);
        var password = new NpgsqlConnectionStringBuilder(desk.Database.ConnectionString).Password!;

        var result = await desk.InitAsync();
        var text = await File.ReadAllTextAsync(desk.File, Token);
        var written = await desk.InitAsync("--write-password", "--force");

        Assert.DoesNotContain(password, result.Output + result.Error + text + written.Output + written.Error, StringComparison.Ordinal);
        Assert.Contains("PGPASSWORD", text, StringComparison.Ordinal);
        Assert.Contains($"Password={password}", await File.ReadAllTextAsync(desk.File, Token), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(desk.File));
    }

    /// <summary>Pinned chats are wanted however old they are, and no mapping of tables says so.</summary>
    [Fact]
    public async Task What_a_preset_needs_beside_its_tables_is_in_what_init_writes()
    {
        var schema = await File.ReadAllTextAsync(Repository.File("tests", "Testing", "applications", "open-webui.sql"), Token);
        await using var desk = await InitDesk.CreateAsync(servers, schema);

        var result = await desk.InitAsync();
        var text = await File.ReadAllTextAsync(desk.File, Token);
        await desk.Database.ExecuteAsync("ALTER TABLE chat DROP COLUMN timer_at", Token);
        var older = await desk.InitAsync("--force");

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("\"Where\": \"s.pinned IS NOT TRUE AND s.timer_at IS NULL\"", text, StringComparison.Ordinal);
        Assert.Contains("Not sure: Preset open-webui: Give the policy Where", text, StringComparison.Ordinal);
        Assert.Matches("Not sure:\n[^\n]*Preset open-webui: Give the policy Where", result.Output);
        Assert.Contains("The condition s.timer_at IS NULL is left out", older.Output, StringComparison.Ordinal);
        Assert.Contains("\"s.pinned IS NOT TRUE\"", await File.ReadAllTextAsync(desk.File, Token), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no table public.nothing", "--sessions", "nothing")]
    [InlineData("no column 'nothing'", "--sessions", "chats", "--key", "nothing")]
    [InlineData("no column 'nothing'", "--sessions", "chats", "--activity", "updated_at,nothing")]
    [InlineData("no preset 'nothing'", "--preset", "nothing")]
    [InlineData("Preset ended-at does not fit", "--preset", "ended-at")]
    [InlineData("exclude each other", "--preset", "ended-at", "--sessions", "chats")]
    [InlineData("--bucket and --folder exclude each other", "--folder", "/x")]
    [InlineData("--idle-for must be", "--idle-for", "90")]
    [InlineData("name that, too, with --sessions", "--key", "id")]
    public async Task Wrong_options_are_named_and_nothing_is_written(string said, params string[] options)
    {
        await using var desk = await InitDesk.CreateAsync(servers, TwoChats);

        var result = await desk.InitAsync(options);

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains(said, result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(desk.Folder));
    }

    [Theory]
    [InlineData(2, "must be a connection string", "secret")]
    [InlineData(2, "must be a connection string", "Database=chat;Password=secret")]
    [InlineData(1, "Cannot reach PostgreSQL at 127.0.0.1:1", "Host=127.0.0.1;Port=1;Database=chat;Username=u;Password=secret")]
    public async Task A_connection_that_leads_nowhere_is_told_without_its_password(int exitCode, string said, string connection)
    {
        await using var desk = await InitDesk.CreateAsync(servers, "SELECT");

        var result = await desk.RunAsync("init", "--connection", connection, "--yes");

        Assert.Equal((exitCode, ""), (result.ExitCode, result.Output));
        Assert.Contains(said, result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", result.Error, StringComparison.Ordinal);
    }
}
