using System.CommandLine;
using Archiver.Core.Diagnostics;
using Archiver.Core.Reconciliation;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver reconcile</c>: bucket against ledger against rows.</summary>
internal sealed class ReconcileVerb(PolicyChoice choice, Reconciler reconciler, SourceErrors errors, Terminal terminal) : IVerb
{
    private static readonly Option<bool> Fix = new("--fix")
    {
        Description =
            "Adopt objects that the ledger lost, correct states, remove abandoned objects that are nobody's only copy; wants --yes",
    };

    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Yes, change it" };

    public static Command Describe() =>
        new(
            "reconcile",
            """
            Compares bucket, ledger and rows: objects without a ledger row, rows of the ledger without object, sessions that are live
            and archived, or called live and gone, orphan messages. Without --fix nothing is changed. The exit code is 1 when something
            is left that a person should look at.
            Example: archiver reconcile --fix --yes
            """
        )
        {
            VerbOptions.Source,
            Fix,
            Yes,
            VerbOptions.Json,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var fix = parse.GetValue(Fix);
        if (fix && !parse.GetValue(Yes))
            throw new ArchiverException(
                FailureKind.Configuration,
                "reconcile --fix changes the ledger and may remove objects from the "
                    + "bucket. See what it would do without --fix, then say --yes."
            );
        List<ReconcileJson> reports = [];
        var code = ExitCode.Done;
        foreach (var source in choice.Sources(parse.GetValue(VerbOptions.Source)))
        {
            var report = await errors.ExplainAsync(source, () => reconciler.RunAsync(source.Name, fix, Operator.Name, cancellationToken));
            code = ExitCode.Worst([code, report.NeedsAttention ? ExitCode.Failed : ExitCode.Done]);
            if (report.NeedsAttention)
                terminal.Fail($"{source.Name}: {ReconcileText.WhatIsLeft(report)}");
            reports.Add(ReconcileJson.Of(source.Name, report));
            if (!parse.GetValue(VerbOptions.Json))
                ReconcileText.Write(source.Name, report, terminal);
        }
        if (parse.GetValue(VerbOptions.Json))
            terminal.WriteJson(reports);
        return code;
    }
}
