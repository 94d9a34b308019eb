using System.Text.RegularExpressions;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// The README, done by a person who reads it from top to bottom: every line of its shell blocks and every command of its list of first
/// steps and of its table, and of docs/commands.md and docs/restore.md, is run in a shell, with the configuration that it shows. Addresses,
/// passwords, names and ids are the only things put in their place.
/// </summary>
public sealed partial class ReadmeWalkthroughTests(TestServers servers)
{
    /// <summary>
    /// What is not run here: the demonstration and the tests themselves, which CI runs, and the worker, which does not end.
    /// </summary>
    private static readonly string[] NotRun = ["./demo.sh", "./test.sh", "archiver run"];

    /// <summary>
    /// What is run, by its beginning, and what must be seen then. A command that none of these fits fails the test: the first that fits
    /// counts.
    /// </summary>
    private static readonly (string Command, int ExitCode, string Shows)[] Expected =
    [
        ("psql -d chat -f sql/roles.sql", 0, "DO"),
        ("psql -d chat -c \"SET archiver.restore = on\" -f sql/roles.sql", 0, "DO"),
        ("psql -d chat -c '\\password archiver'", 0, ""),
        ("artifacts/archiver/archiver migrate", 0, "main: applied 0001_ledger.sql"),
        ("artifacts/archiver/archiver plan", 0, "takes 8 of 11 sessions"),
        ("archiver explain", 0, "main/idle: the next run takes it"),
        ("archiver archive --max-sessions 10", 0, "8 sessions archived"),
        ("archiver archive", 0, "no session archived"),
        ("archiver list --user 4711 --limit 100000 --json |", 1, "it is in the database already"),
        ("archiver list", 0, "archived  4711"),
        ("archiver show", 0, "{\"format\":\"archiver.session/1\""),
        ("archiver query", 0, "assistant"),
        ("archiver search", 0, "the"),
        ("archiver accept main/idle", 0, "main/idle: accepted as it is now"),
        ("archiver pause", 0, "main: paused"),
        ("archiver resume", 0, "main: resumed"),
        // Configured nowhere on the page: the answer says what to add.
        ("archiver purge", 2, "No policy with action Purge is configured"),
        ("archiver expire", 2, "No policy with action Expire is configured"),
        ("archiver discard", 2, "Archiver:Discard:After is not set"),
        ("archiver status", 0, "LAST SUCCESS"),
        ("archiver restore --user 4711", 0, "2 sessions restored with 10 rows"),
        ("archiver restore", 0, "1 session restored with 5 rows"),
        ("archiver verify", 0, "8 right"),
        ("archiver reconcile", 0, "bucket, ledger and rows agree"),
        ("archiver ledger rebuild", 0, "0 archives added to the ledger"),
        ("archiver ledger move", 0, "nothing to move"),
        ("archiver ledger own", 0, "this database is the owner of its ledger"),
        ("archiver source rename OLD NEW", 2, "There is no source"),
        ("archiver source add NAME", 2, "There is no source"),
        ("archiver source list", 0, "LEDGER OF"),
        ("archiver quarantine list", 0, ""),
        ("archiver quarantine retry", 1, "has failed. See: archiver quarantine list"),
        // Only named on the page; it says what it lacks.
        ("archiver init", 2, "Option '--connection' is required"),
        ("archiver hold add", 2, "Option '--reason' is required"),
        ("archiver erase", 3, "To do it, add --yes"),
        ("archiver migrate", 0, "the ledger is up to date"),
        ("archiver presets dify", 0, "public.conversations"),
        ("archiver presets", 0, "vercel-ai-chatbot"),
        // The tests' workers take a free port; with the README's own it would find nobody here.
        ("archiver health", 2, "give it with --url"),
    ];

    private const string OldSessionsOfOneUser = """
        WITH old AS (
            UPDATE chat_sessions SET user_id = '4711', created_at = '2026-01-10', last_activity = '2026-01-10', ended_at = '2026-01-10'
            WHERE session_id IN (SELECT session_id FROM chat_sessions WHERE last_activity < now() - interval '90 days' ORDER BY 1 LIMIT 2)
            RETURNING session_id)
        UPDATE chat_messages SET timestamp = '2026-01-10' WHERE session_id IN (SELECT session_id FROM old)
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whoever_does_what_the_readme_says_sees_what_it_says()
    {
        var readme = await File.ReadAllTextAsync(Repository.File("README.md"), Token);
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 8, young: 3, ledger: false);
        await archiver.Database.ExecuteAsync(OldSessionsOfOneUser);
        await using var desk = await ReadmeDesk.CreateAsync(readme, archiver);
        List<string> surprises = [];

        foreach (var command in Commands(readme))
        {
            var (start, exitCode, shows) = Expected.FirstOrDefault(e => command.StartsWith(e.Command, StringComparison.Ordinal));
            var result = await desk.RunAsync(command);
            if (start is null || result.ExitCode != exitCode || !(result.Output + result.Error).Contains(shows, StringComparison.Ordinal))
                surprises.Add($"{command}: {result.ExitCode}, {result.Output}{result.Error}");
        }

        Assert.Empty(surprises);
    }

    private static List<string> Commands(string readme)
    {
        var steps = readme[
            readme.IndexOf("## Two commands", StringComparison.Ordinal)..readme.IndexOf(
                "## Putting sessions back",
                StringComparison.Ordinal
            )
        ];
        steps = JsonBlock()
            .Replace(
                steps + File.ReadAllText(Repository.File("docs/commands.md")) + File.ReadAllText(Repository.File("docs/restore.md")),
                ""
            );
        // The same command under two names need not be run twice.
        var commands = Command()
            .Matches(steps)
            .SelectMany(m => m.Groups.Cast<Group>().Skip(1).Where(g => g.Success).Select(g => g.Value))
            .Except(NotRun)
            .DistinctBy(c =>
                c.Replace("artifacts/archiver/", "", StringComparison.Ordinal)
                    .Replace("<source/policy>", "main/idle", StringComparison.Ordinal)
            )
            .ToList();
        Assert.True(commands.Count > 25, "The pattern finds no commands: the test could not fail.");
        return commands;
    }

    [GeneratedRegex("```json.*?```", RegexOptions.Singleline)]
    private static partial Regex JsonBlock();

    // A line of a block, and what it has after a comment's colon; a code span that begins with the program's name.
    [GeneratedRegex(@"^    (\S[^#\n]*?) *(?:# for restoring too: (.*)|#.*)?$|`(archiver [a-z][^`\n]*)`", RegexOptions.Multiline)]
    private static partial Regex Command();
}
