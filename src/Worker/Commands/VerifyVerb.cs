using System.CommandLine;
using System.Globalization;
using Archiver.Core.Diagnostics;
using Archiver.Core.Proofs;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver verify</c>: reads archives back and compares them with the ledger.</summary>
internal sealed class VerifyVerb(
    PolicyChoice choice,
    ArchiveVerifier verifier,
    SourceErrors errors,
    Terminal terminal,
    ProgressDisplay progress
) : IVerb
{
    private static readonly Option<int?> Sample = VerbOptions.Count(
        "--sample",
        $"So many archives, chosen at random; {VerifyOptions.DefaultSample} unless given"
    );

    private static readonly Option<bool> All = new("--all") { Description = "Every archive" };

    private static readonly Option<int?> RestoreDrill = VerbOptions.Count(
        "--restore-drill",
        "Also rehearse the restore of so many of them, triggers and constraints included, and roll it back"
    );

    public static Command Describe() =>
        new(
            "verify",
            """
            Reads archives back from the store: every byte, hash, format, session and number of rows. Changes nothing but the note of
            what is damaged, which status shows. What is wrong is listed as missing, hidden, changed, unreadable, denied,
            failing or needs_thawing; the exit code is 1 then.
            Example: archiver verify --sample 5000 --restore-drill 50
            """
        )
        {
            VerbOptions.Source,
            Sample,
            All,
            RestoreDrill,
            VerbOptions.Json,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var (all, sample, json) = (parse.GetValue(All), parse.GetValue(Sample), parse.GetValue(VerbOptions.Json));
        if (all && sample is not null)
            throw new ArchiverException(FailureKind.Configuration, "--sample and --all exclude each other.");
        List<VerifyJson> reports = [];
        var code = ExitCode.Done;
        foreach (var source in choice.Sources(parse.GetValue(VerbOptions.Source)))
        {
            var options = new VerifyOptions(
                source.Name,
                all ? null : sample ?? VerifyOptions.DefaultSample,
                parse.GetValue(RestoreDrill) ?? 0
            );
            var report = await progress.ShowAsync(
                $"{source.Name}/verify",
                plain: !json,
                relay => errors.ExplainAsync(source, () => verifier.VerifyAsync(options, relay, cancellationToken)),
                one: "archive"
            );
            code = ExitCode.Worst([code, report.ExitCode]);
            if (report.Problems is [var first, ..])
                terminal.Fail(
                    $"{source.Name}: {report.Problems.Count} of {Amount.Of(report.Right + report.Problems.Count, "archive")} "
                        + $"{(report.Problems.Count == 1 ? "is" : "are")} not right, such as that of session {first.SessionId}: "
                        + $"{first.Detail.TrimEnd('.')}. What the bucket has lost, only a backup or another version of the object brings "
                        + "back."
                );
            reports.Add(VerifyJson.Of(source.Name, report));
            if (!json)
                Write(source.Name, report);
        }
        if (json)
            terminal.WriteJson(reports);
        return code;
    }

    private void Write(string source, VerifyReport report)
    {
        var aside =
            report.DrilledAside > 0
                ? $" ({report.DrilledAside.ToString(CultureInfo.InvariantCulture)} of them into temporary tables, because they are live or "
                    + "the role may not insert: no trigger or foreign key was tried)"
                : "";
        var drilled = report.Drilled > 0 ? $", {Amount.Of(report.Drilled, "session")} restored on trial{aside}" : "";
        terminal.WriteLine(
            $"{source}: {Amount.Of(report.Checked, "archive")} read, {report.Right.ToString(CultureInfo.InvariantCulture)} "
                + $"right{drilled}, {Amount.Bytes(report.JsonBytes)} of JSON in {Amount.Seconds(report.Elapsed)}"
        );
        var table = new TextTable("PROBLEM", "SESSION", "GEN", "OBJECT", "DETAIL");
        foreach (var p in report.Problems)
            table.Add(VerifyJson.Word(p.Problem), p.SessionId, p.Generation.ToString(CultureInfo.InvariantCulture), p.ObjectKey, p.Detail);
        table.Write(terminal);
    }
}
