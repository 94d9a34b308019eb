using System.Text.RegularExpressions;
using Archiver.Testing;
using Npgsql;

namespace Archiver.Worker.Tests;

/// <summary>
/// A folder like that of a person who follows the README: the repository's <c>sql</c>, the built program under <c>artifacts</c>, the
/// README's own <c>appsettings.json</c>, and a shell. Addresses, passwords and names that the README cannot know are put in their place;
/// nothing else is.
/// </summary>
internal sealed partial class ReadmeDesk : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("archiver-readme-").FullName;
    private readonly Installation _archiver;
    private readonly string _role = $"archiver_{Guid.NewGuid():N}";
    private readonly Dictionary<string, string?> _environment;
    private IReadOnlyList<Guid> _others = [];

    private ReadmeDesk(string readme, Installation archiver)
    {
        _archiver = archiver;
        var program = ArchiverExecutable.Folder;
        Directory.CreateDirectory(Path.Combine(_folder, "artifacts"));
        Directory.CreateSymbolicLink(Path.Combine(_folder, "artifacts", "archiver"), program);
        Directory.CreateSymbolicLink(Path.Combine(_folder, "sql"), Path.Combine(Repository.Root, "sql"));
        File.WriteAllText(Path.Combine(_folder, "appsettings.json"), Configuration().Match(readme).Groups[1].Value);
        // What the file says counts: only what it cannot know comes from the environment.
        archiver
            .With("Sources:main:Preset", null)
            .With("Sources:main:Policies:idle:Action", null)
            .With("Sources:main:Policies:idle:IdleFor", null)
            .With("Storage:PathStyle", null);
        var server = new NpgsqlConnectionStringBuilder(archiver.Database.ConnectionString);
        archiver.With(
            "Sources:main:ConnectionString",
            new NpgsqlConnectionStringBuilder(archiver.Database.ConnectionString) { Username = _role, Password = _role }.ConnectionString
        );
        _environment = new()
        {
            ["PATH"] = $"{Path.Combine(_folder, "artifacts", "archiver")}:{Environment.GetEnvironmentVariable("PATH")}:{ServerPrograms()}",
            ["PGHOST"] = server.Host,
            ["PGPORT"] = $"{server.Port}",
            ["PGUSER"] = server.Username,
            ["PGPASSWORD"] = server.Password,
            // A role belongs to the whole server, which other tests use too.
            ["PGOPTIONS"] = $"-c archiver.role={_role} -c archiver.reader={_role}_reader",
        };
    }

    public static async Task<ReadmeDesk> CreateAsync(string readme, Installation archiver) =>
        new(readme, archiver) { _others = await IdsAsync(archiver, "user_id <> '4711' AND last_activity < now() - interval '90 days'") };

    /// <summary>Types it; where it asks for a password, that too.</summary>
    public Task<ProcessResult> RunAsync(string command) =>
        _archiver.ShellAsync(_folder, Placed(command), _environment, $"{_role}\n{_role}\n");

    public async ValueTask DisposeAsync()
    {
        foreach (var role in new[] { _role, $"{_role}_reader" })
            await _archiver.Database.ExecuteAsync(
                $"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN DROP OWNED "
                    + $"BY {role} CASCADE; DROP ROLE {role}; END IF; END $$"
            );
        Directory.Delete(_folder, recursive: true);
    }

    private string Placed(string command) =>
        command
            .Replace(
                "-d chat",
                $"-d {new NpgsqlConnectionStringBuilder(_archiver.Database.ConnectionString).Database}",
                StringComparison.Ordinal
            )
            .Replace("password archiver", $"password {_role}", StringComparison.Ordinal)
            .Replace("0b9c6a52-4a3c-4d0b-9a52-0f6f3d1c9a10", $"{_others[0]}", StringComparison.Ordinal)
            .Replace("<id>...", $"{_others[1]}", StringComparison.Ordinal)
            .Replace("<id>", $"{_others[2]}", StringComparison.Ordinal)
            .Replace("<source/policy>", "main/idle", StringComparison.Ordinal)
            .Replace("--user U", "--user 4711", StringComparison.Ordinal);

    private static async Task<IReadOnlyList<Guid>> IdsAsync(Installation archiver, string condition) =>
        [
            .. (
                await archiver.Database.ScalarAsync<Guid[]>(
                    $"SELECT array_agg(session_id ORDER BY session_id) FROM chat_sessions WHERE {condition}"
                )
            )!,
        ];

    /// <summary>psql lies there where Debian's package of the client is not installed.</summary>
    private static string ServerPrograms() =>
        Environment.GetEnvironmentVariable("ARCHIVER_TEST_PG_BIN")
        ?? Directory
            .GetDirectories("/usr/lib/postgresql")
            .Order(StringComparer.Ordinal)
            .Select(d => Path.Combine(d, "bin"))
            .LastOrDefault("");

    [GeneratedRegex("```json\\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Configuration();
}
