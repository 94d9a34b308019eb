using System.CommandLine;
using Archiver.Core.Reconciliation;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver ledger rebuild</c>: the ledger from the bucket.</summary>
internal sealed class LedgerRebuildVerb(
    PolicyChoice choice,
    LedgerRebuilder rebuilder,
    SourceErrors errors,
    Terminal terminal,
    ProgressDisplay progress
) : IVerb
{
    private static readonly Option<bool> OtherSystems = new("--other-systems")
    {
        Description = "Also take objects that say they come from another database or server, as after a move",
    };

    public static Command Describe() =>
        new(
            "rebuild",
            """
            Rebuilds the ledger from the bucket: objects, ids, generations, users, times, runs. What it knows already is left as it is.
            State follows the rows: gone means archived, live means unknown until reconcile --fix settles it. No object is touched.
            Holds, quarantine, acceptances and audit are not in the bucket and do not come back.
            Example: archiver ledger rebuild --source main
            """
        )
        {
            VerbOptions.Source,
            OtherSystems,
            VerbOptions.Json,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var json = parse.GetValue(VerbOptions.Json);
        List<RebuildJson> reports = [];
        foreach (var source in choice.Sources(parse.GetValue(VerbOptions.Source)))
        {
            var report = await progress.ShowAsync(
                $"{source.Name}/rebuild",
                plain: false,
                relay =>
                    errors.ExplainAsync(source, () =>
                        rebuilder.RebuildAsync(source.Name, parse.GetValue(OtherSystems), Operator.Name, relay, cancellationToken)
                    ),
                one: "object"
            );
            reports.Add(RebuildJson.Of(source.Name, report));
            if (!json)
                Write(source.Name, report);
        }
        if (json)
            terminal.WriteJson(reports);
        foreach (var report in reports.Where(r => r.Unreadable.Count > 0))
            terminal.Fail(
                $"{report.Source}: {Amount.Of(report.Unreadable.Count, "object")} could not be read, such as "
                    + $"{report.Unreadable[0].Key}: {report.Unreadable[0].Reason.TrimEnd('.')}. It may be the only copy of a session; the "
                    + "other objects are in the ledger."
            );
        // An object that cannot be read may be somebody's only copy: whoever rebuilds must not overlook it.
        return reports.Any(r => r.Unreadable.Count > 0) ? ExitCode.Failed : ExitCode.Done;
    }

    private void Write(string source, RebuildReport report)
    {
        terminal.WriteLine(
            $"{source}: {Amount.Of(report.Objects, "object")} and {Amount.Of(report.Manifests, "manifest")} read, "
                + $"{Amount.Of(report.Archives, "archive")} added to the ledger"
        );
        foreach (var reason in report.Foreign.GroupBy(f => f.Reason))
            terminal.WriteLine($"  {Amount.Of(reason.Count(), "object")} left out: {reason.Key}");
        if (report.Copies.Count > 0)
            terminal.WriteLine(
                $"  {Amount.Of(report.Copies.Count, "object")} left out that the ledger has elsewhere, such as "
                    + $"{report.Copies[0].Key}: {report.Copies[0].Reason}. After a move of the bucket or prefix: archiver ledger move"
            );
        if (report.Limitation is { } limitation)
            terminal.WriteLine($"  {limitation}");
        if (report.Erased > 0)
            terminal.WriteLine(
                $"  {Amount.Of(report.Erased, "document")} of erased sessions left out; remove them: archiver erase --reapply --yes"
            );
        if (report.Foreign.Count > 0)
            terminal.WriteLine("  After a move to a new server or database: archiver ledger rebuild --other-systems");
        foreach (var unreadable in report.Unreadable)
            terminal.WriteLine($"  unreadable: {unreadable.Key}: {unreadable.Reason}");
        terminal.WriteLine("  Holds, quarantine, acceptances and audit are not in the bucket and did not come back.");
    }
}
