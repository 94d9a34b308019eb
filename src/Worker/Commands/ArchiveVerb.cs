using System.CommandLine;
using Archiver.Core;
using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Policies;
using Archiver.Core.Sources;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver archive</c>: policies with action Archive, once, now.</summary>
internal sealed class ArchiveVerb(PolicyChoice choice, PolicyRunner runner, ArchiverSettings settings, Terminal terminal, ProgressDisplay progress) : IVerb
{
    private static readonly Option<int?> MaxSessions = VerbOptions.Count("--max-sessions", "Take at most so many sessions per policy");

    public static Command Describe() => new("archive", """
        Runs the policies with action Archive once, now: export, verify, record, delete.
        Ctrl-C stops between two transactions; what is committed stays archived, the next run finishes the rest.
        Example: archiver archive --policy idle --max-sessions 100
        """) { VerbOptions.Source, VerbOptions.Policy, MaxSessions, VerbOptions.Json };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var json = parse.GetValue(VerbOptions.Json);
        List<RunSummary> summaries = [];
        foreach (var (source, policy) in Choose(parse))
        {
            var request = new RunRequest(source, policy, parse.GetValue(MaxSessions));
            var summary = await progress.ShowAsync(policy.FullName, plain: !json, relay => runner.RunAsync(request, relay, cancellationToken)).ConfigureAwait(false);
            summaries.Add(summary);
            if (!json)
                SummaryText.Write(summary, terminal);
            if (summary.Outcome == RunOutcome.Cancelled)
                break;
        }
        if (json)
            terminal.WriteJson(summaries);
        return ExitCode.Worst(summaries.Select(s => s.ExitCode));
    }

    private List<(SourceSettings Source, Policy Policy)> Choose(ParseResult parse)
    {
        var name = parse.GetValue(VerbOptions.Policy);
        var chosen = choice.Policies(parse.GetValue(VerbOptions.Source), name);
        if (name is not null && chosen.FirstOrDefault(c => c.Policy.Action != PolicyAction.Archive).Policy is { } other)
            throw new ArchiverException(FailureKind.Configuration, $"Policy {other.FullName} has action {other.Action}, and archive runs only policies with action Archive.");
        var archiving = chosen.Where(c => c.Policy.Action == PolicyAction.Archive).ToList();
        foreach (var (_, policy) in archiving)
            Unsupported.Refuse(settings, policy);
        return archiving.Count > 0
            ? archiving
            : throw new ArchiverException(FailureKind.Configuration, "No policy with action Archive is configured: add one under Archiver:Sources:{name}:Policies.");
    }
}
