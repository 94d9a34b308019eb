using System.CommandLine;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Restore;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver restore</c>: puts sessions back.</summary>
internal sealed class RestoreVerb(PolicyChoice choice, RestoreRunner runner, Terminal terminal, ProgressDisplay progress) : IVerb
{
    public static Command Describe()
    {
        var command = new Command(
            "restore",
            """
            Puts archived sessions back into their tables, each wholly or not at all. Rows are compared with the document before the commit.
            Name what to restore: ids (or - and one id a line on stdin), --object, or --user, --run and dates, which are ANDed.
            A restored session is not archived again before its policy's RestoreGrace is over, if the ledger knows its archive.
            Example: archiver restore 0b9c6a52-4a3c-4d0b-9a52-0f6f3d1c9a10 --reactivate
                     archiver restore --user 4711 --from 2026-01-01 --to 2026-02-01 --dry-run
                     archiver list --user 4711 --json | jq -r .[].session_id | archiver restore - --to "Host=db2;Database=copy;Username=me"
            """
        )
        {
            VerbOptions.Source,
            VerbOptions.Json,
        };
        RestoreSelection.AddTo(command);
        RestoreChoices.AddTo(command);
        return command;
    }

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var source = choice.OneSource(parse.GetValue(VerbOptions.Source)).Name;
        var options = RestoreChoices.Apply(parse, await RestoreSelection.ReadAsync(parse, source, terminal.In, cancellationToken));
        var json = parse.GetValue(VerbOptions.Json);
        var report = await progress.ShowAsync($"{source}/restore", plain: !json, relay =>
            runner.RunAsync(options, relay is null ? null : new Relay(relay), cancellationToken)
        );
        if (report.WrongUsage)
            throw new ArchiverException(FailureKind.Configuration, report.Error!);
        if (json)
        {
            terminal.WriteJson(RestoreJson.Of(source, report));
            RestoreText.WriteError(report, terminal);
        }
        else
            RestoreText.Write(source, report, terminal);
        return report.ExitCode;
    }

    private sealed class Relay(IProgress<RunProgress> inner) : IProgress<RestoreProgress>
    {
        public void Report(RestoreProgress value) => inner.Report(new(Math.Max(value.Selected, value.Finished), value.Finished));
    }
}
