using System.CommandLine;
using System.Globalization;
using Archiver.Core.Diagnostics;
using Archiver.Core.Query;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver search</c>: where a text was written.</summary>
internal sealed class SearchVerb(ReadingOptions reading, ArchiveSelection selection, Terminal terminal, ProgressDisplay progress) : IVerb
{
    private const int DefaultLimit = 100;

    private static readonly Argument<string> Text = new("text")
    {
        Description = "What to look for; the case of the letters does not matter",
    };

    private static readonly Option<int?> Limit = VerbOptions.Count(
        "--limit",
        $"At most so many lines, the newest; {DefaultLimit} unless given"
    );

    public static Command Describe()
    {
        var command = new Command(
            "search",
            """
            Looks for a text in the archived messages and prints the lines that have it, newest first, with the hit between » and «.
            The exit code is 0 when something was found and 1 when not, as grep's.
            Example: archiver search "order 4711" --from 2026-01-01
            """
        )
        {
            Text,
        };
        foreach (var option in ReadingOptions.All.Concat([Limit, VerbOptions.Json]))
            command.Options.Add(option);
        return command;
    }

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var text = parse.GetRequiredValue(Text);
        if (string.IsNullOrWhiteSpace(text) || text.Contains('\n', StringComparison.Ordinal))
            throw new ArchiverException(FailureKind.Configuration, "archiver search needs a text of one line that is more than blanks.");
        await reading.SelectAsync(parse, selection, LedgerCondition.None, cancellationToken);
        await selection.AuditAsync(Operator.Name, "search", cancellationToken);
        var (newest, count) = await progress.ShowAsync(
            "search",
            plain: false,
            relay => new TextSearch(selection).RunAsync(text, parse.GetValue(Limit) ?? DefaultLimit, relay, cancellationToken),
            one: "archive"
        );
        await reading.RecordRequestsAsync(parse);
        foreach (var hit in newest)
        {
            if (parse.GetValue(VerbOptions.Json))
                terminal.WriteJson(hit);
            else
                Write(hit);
        }
        if (count > newest.Count)
            terminal.Note(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{count} lines have it; these are the newest {newest.Count}. More: --limit {count}"
                )
            );
        if (count > 0)
            return ExitCode.Done;
        terminal.Fail("No archived message has this text.");
        return ExitCode.Failed;
    }

    private void Write(TextHit hit)
    {
        terminal.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{hit.SessionId}~{hit.Generation}  {hit.Time ?? "-"}  {hit.Role ?? "-"}")
        );
        terminal.WriteLine(
            $"    {hit.Line[..hit.Start]}»{hit.Line.Substring(hit.Start, hit.Length)}«{hit.Line[(hit.Start + hit.Length)..]}"
        );
    }
}
