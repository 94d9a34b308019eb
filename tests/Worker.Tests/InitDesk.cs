using System.Text;
using System.Text.RegularExpressions;
using Archiver.Testing;
using Archiver.Worker.Configuration;
using Npgsql;

namespace Archiver.Worker.Tests;

/// <summary>A person with a database and an empty folder, who begins with <c>archiver init</c> and goes on with what it wrote.</summary>
internal sealed class InitDesk : IAsyncDisposable
{
    private readonly Installation _installation;

    private InitDesk(Installation installation) => _installation = installation;

    public TestDatabase Database => _installation.Database;

    public string Folder { get; } = Directory.CreateTempSubdirectory("archiver-init-").FullName;

    /// <summary>What was written.</summary>
    public string File => Path.Combine(Folder, "appsettings.json");

    /// <summary>The archiver's role, a name of the test's own: roles belong to the whole server.</summary>
    public string Role { get; } = $"archiver_{Guid.NewGuid():N}";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <param name="schema">The application's tables and rows.</param>
    public static async Task<InitDesk> CreateAsync(TestServers servers, string schema) =>
        new(await Installation.CreateAsync(servers, schema, Token, ledger: false));

    /// <summary>A preset's schema with a sample, and no ledger.</summary>
    public static async Task<InitDesk> OfPresetAsync(TestServers servers, string preset) =>
        new(await Installation.CreateAsync(servers, Token, idle: 6, young: 2, messages: 3, preset: preset, ledger: false));

    /// <summary>Runs <c>archiver init</c> for this database and bucket, as the superuser and without questions.</summary>
    public Task<ProcessResult> InitAsync(params string[] more) =>
        RunAsync(["init", "--connection", Database.ConnectionString, "--role", Role, .. Storage, "--yes", .. more]);

    /// <summary>The options that say where archives go.</summary>
    public IReadOnlyList<string> Storage =>
        [
            "--bucket",
            _installation.Bucket.Settings.Bucket,
            "--endpoint",
            _installation.Bucket.Settings.Endpoint!.ToString(),
            "--path-style",
        ];

    /// <summary>Runs it in the folder, with no configuration but what lies there.</summary>
    public Task<ProcessResult> RunAsync(params IReadOnlyList<string> arguments) =>
        ArchiverProcess.RunAsync(arguments, new Dictionary<string, string?>(), Token, folder: Folder);

    /// <summary>Runs it where somebody sits who answers.</summary>
    public async Task<ProcessResult> AskedAsync(string answers, params IReadOnlyList<string> arguments)
    {
        using CapturedStream output = new(),
            error = new();
        using var input = new MemoryStream(Encoding.UTF8.GetBytes(answers));
        var environment = new ProcessEnvironment(ArchiverProcess.Variables(null), Folder, ErrorIsTerminal: false) { IsAsked = true };
        var code = await ArchiverApplication.RunAsync([.. arguments], environment, input, output, error, Token);
        return new(code, output.ToString(), error.ToString());
    }

    /// <summary>Runs a verb with what was written; secrets alone come from elsewhere, and DryRun is off.</summary>
    /// <param name="password">Of the role, once it has one; else the superuser does it.</param>
    /// <param name="arguments">The verb.</param>
    public Task<ProcessResult> ArchiverAsync(string? password, params IReadOnlyList<string> arguments)
    {
        var connection = new NpgsqlConnectionStringBuilder(Database.ConnectionString);
        if (password is not null)
            (connection.Username, connection.Password) = (Role, password);
        return ArchiverProcess.RunAsync(
            arguments,
            new Dictionary<string, string?>
            {
                ["Archiver__Sources__main__ConnectionString"] = connection.ConnectionString,
                ["Archiver__Sources__main__Policies__idle__DryRun"] = "false",
                ["Archiver__Storage__AccessKey"] = _installation.Bucket.Settings.AccessKey,
                ["Archiver__Storage__SecretKey"] = _installation.Bucket.Settings.SecretKey,
            },
            Token,
            folder: Folder
        );
    }

    /// <summary>The statements that it printed.</summary>
    public static IReadOnlyList<string> Statements(ProcessResult result)
    {
        var script = Regex.Match(result.Output, "SQL that it needs[^\n]*\n(.*?)\n\n", RegexOptions.Singleline).Groups[1].Value;
        return [.. script.Split('\n').Where(l => !l.StartsWith("--", StringComparison.Ordinal)).Select(l => l.TrimEnd(';'))];
    }

    /// <summary>Runs each statement that was printed, and gives the role its password.</summary>
    public async Task<string> FollowAsync(ProcessResult result)
    {
        var statements = Statements(result);
        Assert.Contains(statements, s => s.StartsWith("GRANT SELECT, DELETE", StringComparison.Ordinal));
        foreach (var statement in statements)
            await Database.ExecuteAsync(statement, Token);
        await Database.ExecuteAsync($"ALTER ROLE {Role} PASSWORD '{Role}'", Token);
        return Role;
    }

    /// <summary>Every row of the application, as text.</summary>
    public async Task<string> RowsAsync()
    {
        var tables = await Database.ScalarAsync<string[]>(
            "SELECT array_agg(quote_ident(n.nspname) || '.' || quote_ident(c.relname) ORDER BY n.nspname, c.relname) FROM pg_class c JOIN "
                + "pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ "
                + "'^(pg_|information_schema|archiver)'",
            Token
        );
        var rows = new StringBuilder();
        foreach (var table in tables!)
            rows.Append(table).Append('\n').Append(await Database.CopyOutAsync($"SELECT t.* FROM {table} AS t ORDER BY t::text", Token));
        return rows.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        await Database.ExecuteAsync(
            $"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{Role}') THEN DROP OWNED BY {Role} "
                + $"CASCADE; DROP ROLE {Role}; END IF; END $$"
        );
        await _installation.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
