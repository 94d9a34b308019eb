using System.CommandLine;
using Archiver.Core.Diagnostics;
using Archiver.Core.Discard;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver discard</c>: the end of life of archives.</summary>
internal sealed class DiscardVerb(PolicyChoice choice, Discarder discarder, SourceErrors errors, Terminal terminal) : IVerb
{
    public static Command Describe() =>
        new(
            "discard",
            """
            Ends archives older than Discard:After: first they are announced, and after Discard:Notice destroyed in the store, in every
            version. Without --yes it only says what it would do. What a hold covers stays, and with it the whole bundle that it is in.
            Example: archiver discard --yes
            """
        )
        {
            VerbOptions.Source,
            VerbOptions.Yes,
            VerbOptions.Json,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var (yes, json) = (parse.GetValue(VerbOptions.Yes), parse.GetValue(VerbOptions.Json));
        List<DiscardReport> reports = [];
        foreach (var source in choice.Sources(parse.GetValue(VerbOptions.Source)))
        {
            var report = yes
                ? await discarder.RunAsync(source, Operator.Name, cancellationToken)
                : await errors.ExplainAsync(source, () => discarder.PlanAsync(source, cancellationToken));
            reports.Add(report);
            if (!json)
                DiscardText.Write(report, terminal);
            if (report.Outcome == RunOutcome.Cancelled)
                break;
        }
        if (json)
        {
            terminal.WriteJson(reports);
            reports.ForEach(r => DiscardText.WriteError(r, terminal));
        }
        if (yes || reports.All(r => r.Discarded.Objects + r.Announced.Objects == 0))
            return ExitCode.Worst(reports, r => r.ExitCode, r => r.Discarded.Objects + r.Announced.Objects > 0);
        terminal.Fail("Nothing was changed. To do it: archiver discard --yes");
        return ExitCode.Refused;
    }
}
