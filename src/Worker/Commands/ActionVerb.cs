using System.CommandLine;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Pipelines;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary>Runs the policies with one action, once, now: what <c>archive</c>, <c>purge</c> and <c>expire</c> have in common.</summary>
internal sealed class ActionVerb(
    PolicyChoice choice,
    PolicyRunner runner,
    StoreRequests requests,
    Terminal terminal,
    ProgressDisplay progress
)
{
    private static readonly Option<int?> MaxSessions = VerbOptions.Count("--max-sessions", "Take at most so many sessions per policy");

    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Only say what would be taken" };

    /// <summary>A verb with the common options.</summary>
    public static Command Describe(string name, string description) =>
        new(name, description) { VerbOptions.Source, VerbOptions.Policy, MaxSessions, DryRun, VerbOptions.Json };

    public async Task<int> ExecuteAsync(PolicyAction action, ParseResult parse, CancellationToken cancellationToken)
    {
        var json = parse.GetValue(VerbOptions.Json);
        List<RunSummary> summaries = [];
        foreach (var (source, policy) in Choose(action, parse))
        {
            var request = new RunRequest(
                source,
                policy with
                {
                    DryRun = policy.DryRun || parse.GetValue(DryRun),
                },
                parse.GetValue(MaxSessions)
            );
            var summary = await progress.ShowAsync(policy.FullName, plain: !json, relay =>
                runner.RunAsync(request, relay, cancellationToken)
            );
            summaries.Add(summary);
            await requests.RecordAsync(source);
            if (!json)
                SummaryText.Write(summary, terminal);
            if (summary.Outcome == RunOutcome.Cancelled)
                break;
        }
        if (json)
        {
            terminal.WriteJson(summaries);
            summaries.ForEach(s => SummaryText.WriteError(s, terminal));
        }
        return ExitCode.Worst(summaries, s => s.ExitCode, s => s.Sessions > 0);
    }

    private List<(SourceSettings Source, Policy Policy)> Choose(PolicyAction action, ParseResult parse)
    {
        var name = parse.GetValue(VerbOptions.Policy);
        var chosen = choice.Policies(parse.GetValue(VerbOptions.Source), name);
        var verb = action.ToString().ToLowerInvariant();
        if (name is not null && chosen.FirstOrDefault(c => c.Policy.Action != action).Policy is { } other)
            throw new ArchiverException(
                FailureKind.Configuration,
                $"Policy {other.FullName} has action {other.Action}, and {verb} runs only policies with action {action}."
            );
        var those = chosen.Where(c => c.Policy.Action == action).ToList();
        return those.Count > 0
            ? those
            : throw new ArchiverException(
                FailureKind.Configuration,
                $"No policy with action {action} is configured: add one under Archiver:Sources:{{name}}:Policies."
            );
    }
}
