using System.CommandLine;
using Archiver.Core.Reconciliation;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver ledger move</c>: the objects were moved to the bucket and prefix that are configured now.</summary>
internal sealed class LedgerMoveVerb(
    PolicyChoice choice,
    LedgerMover mover,
    SourceErrors errors,
    Terminal terminal,
    ProgressDisplay progress
) : IVerb
{
    /// <summary>Names printed; <c>--json</c> has all.</summary>
    private const int Most = 20;

    private static readonly Option<string?> From = new("--from")
    {
        Description = "Where the ledger has the objects, such as s3://old-bucket; the only other place it knows unless given",
        HelpName = "location",
    };

    private static readonly Option<string?> FromPrefix = new("--from-prefix")
    {
        Description = "Their prefix there; the configured one unless given",
        HelpName = "prefix",
    };

    public static Command Describe() =>
        new(
            "move",
            """
            Tells the ledger that the bucket or prefix was moved. Copy everything under the prefix first, .archiver/ included, and
            configure the new place. Each object is read at its new place and compared with the ledger's hash. Only when all are right,
            and with --yes, the ledger is rewritten; else nothing is changed and the exit code is 3. No object is touched. Stop the
            workers first.
            Example: archiver ledger move --from s3://old-bucket --yes
            """
        )
        {
            VerbOptions.Source,
            From,
            FromPrefix,
            VerbOptions.Yes,
            VerbOptions.Json,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var options = new MoveOptions(parse.GetValue(From), parse.GetValue(FromPrefix), parse.GetValue(VerbOptions.Yes));
        List<MoveJson> reports = [];
        List<(int Code, bool Changed)> outcomes = [];
        foreach (var source in choice.Sources(parse.GetValue(VerbOptions.Source)))
        {
            var report = await progress.ShowAsync(
                $"{source.Name}/move",
                plain: false,
                relay => errors.ExplainAsync(source, () => mover.MoveAsync(source.Name, options, Operator.Name, relay, cancellationToken)),
                one: "object"
            );
            outcomes.Add(
                (
                    report.Problems.Count > 0 ? ExitCode.Refused
                    : report.Elsewhere.Count > 0 ? ExitCode.Failed
                    : ExitCode.Done,
                    report.Applied
                )
            );
            if (report.Problems.Count > 0)
                terminal.Fail(
                    $"{source.Name}: {Amount.Of(report.Problems.Count, "object")} not right at the new place, so nothing was "
                        + "changed. Copy what is missing, then move again."
                );
            else if (report.Elsewhere.Count > 0)
                terminal.Fail(
                    $"{source.Name}: the ledger has objects in other places too: {string.Join(", ", report.Elsewhere.Keys)}. "
                        + "Name each with --from."
                );
            reports.Add(MoveJson.Of(source.Name, report));
            if (!parse.GetValue(VerbOptions.Json))
                Write(source.Name, report);
        }
        if (parse.GetValue(VerbOptions.Json))
            terminal.WriteJson(reports);
        return ExitCode.Worst(outcomes, o => o.Code, o => o.Changed);
    }

    private void Write(string source, MoveReport report)
    {
        if (report.From is null)
        {
            terminal.WriteLine($"{source}: every object of the ledger is in {report.To}; nothing to move");
            return;
        }
        terminal.WriteLine(
            $"{source}: {Amount.Of(report.Verified, "object")} of {report.From} read in {report.To}, the same as the ledger knows"
        );
        foreach (var problem in report.Problems.Take(Most))
            terminal.WriteLine($"  {problem.Key}: {problem.Reason}");
        if (report.Problems.Count > Most)
            terminal.WriteLine($"  and {Amount.Of(report.Problems.Count - Most, "more object")}, see --json");
        if (report.LeftBehind.Count > 0)
            terminal.WriteLine(
                $"  {Amount.Of(report.LeftBehind.Count, "object")} that no archive needs not found there; the ledger keeps "
                    + "them where they were"
            );
        foreach (var (place, count) in report.Elsewhere)
            terminal.WriteLine($"  {Amount.Of(count, "object")} of the ledger still in {place}");
        terminal.WriteLine(
            report.Problems.Count > 0 ? "  REFUSED: nothing was changed"
            : report.Applied ? "  The ledger has them at their new place now"
            : report.Verified == 0 ? "  Nothing was changed: the ledger has no object there. Is --from-prefix right?"
            : "  Nothing was changed; to rewrite the ledger say --yes"
        );
    }
}
