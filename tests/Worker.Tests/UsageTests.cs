using System.Text.RegularExpressions;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>The command line itself: help, usage errors, and which stream gets what.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData("init")]
    [InlineData("run")]
    [InlineData("archive")]
    [InlineData("plan")]
    [InlineData("status")]
    [InlineData("list")]
    [InlineData("show")]
    [InlineData("query")]
    [InlineData("search")]
    [InlineData("migrate")]
    [InlineData("presets")]
    [InlineData("restore")]
    [InlineData("verify")]
    [InlineData("reconcile")]
    [InlineData("ledger", "rebuild")]
    [InlineData("accept")]
    [InlineData("pause")]
    [InlineData("resume")]
    [InlineData("explain")]
    [InlineData("quarantine", "list")]
    [InlineData("quarantine", "retry")]
    public async Task Every_verb_has_help_with_an_example_and_needs_no_configuration_for_it(params string[] verb)
    {
        var result = await RunAsync([.. verb, "--help"]);

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains($"Example: archiver {string.Join(' ', verb)} ", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_list_of_verbs_is_complete()
    {
        var result = await RunAsync("--help");

        var verbs = Regex.Matches(result.Output, "(?m)^  ([a-z]+) ").Select(m => m.Groups[1].Value);
        Assert.Superset(
            new HashSet<string>
            {
                "init",
                "run",
                "archive",
                "plan",
                "status",
                "list",
                "show",
                "query",
                "search",
                "migrate",
                "accept",
                "pause",
                "resume",
                "explain",
                "quarantine",
                "restore",
                "verify",
                "reconcile",
                "ledger",
                "presets",
            },
            verbs.ToHashSet()
        );
    }

    [Theory]
    [InlineData("--no-such-option", "plan", "--no-such-option")]
    [InlineData("no-such-verb", "no-such-verb")]
    [InlineData("--max-sessions must be a whole number from 1 to 2147483647, but is '0'.", "archive", "--max-sessions", "0")]
    [InlineData("--generation must be a whole number from 1 to 2147483647, but is 'x'.", "show", "1", "--generation", "x")]
    [InlineData("--after must be the whole number of a row, but is 'x'.", "list", "--after", "x")]
    [InlineData("--run must be the id of a run, as archiver status --json has it, but is 'x'.", "restore", "--run", "x")]
    [InlineData("--on-conflict must be fail, skip or replace, but is '2'.", "restore", "1", "--on-conflict", "2")]
    [InlineData("--on-conflict must be fail, skip or replace, but is 'fail,replace'.", "restore", "1", "--on-conflict", "fail,replace")]
    [InlineData("--from must be a date", "list", "--from", "01/02/2026")]
    [InlineData("--from must be a date", "list", "--from", "2026-01-02T03:04:05")]
    [InlineData("archiver show needs id", "show")]
    [InlineData("archiver query needs sql", "query")]
    [InlineData("--memory must be a whole number and a unit", "query", "SELECT 1", "--memory", "512")]
    [InlineData("archiver search needs text", "search")]
    [InlineData("--Archiver:Batch:Sessions=value", "plan", "--Archiver:Batch:Sessions", "10")]
    [InlineData("/no/such/file.json does not exist", "plan", "--config", "/no/such/file.json")]
    public async Task Wrong_usage_exits_2_and_says_what_is_wrong_on_stderr_only(string said, params string[] arguments)
    {
        var result = await RunAsync(arguments);

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains(said, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_with_problems_exits_2_with_all_of_them_and_no_stack()
    {
        var result = await RunAsync("plan", "--Archiver:Sources:main:Policies:idle:IdleFor=90", "--Archiver:Batch:Row=1");

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains(
            "Archiver:Sources:main:Policies:idle:IdleFor: must be a whole number and a unit",
            result.Error,
            StringComparison.Ordinal
        );
        Assert.Contains("Archiver:Batch:Row: is not a known key", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    private static Task<ProcessResult> RunAsync(params string[] arguments) =>
        ArchiverProcess.RunAsync(arguments, environment: null, TestContext.Current.CancellationToken);
}
