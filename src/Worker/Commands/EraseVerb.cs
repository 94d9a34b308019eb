using System.CommandLine;
using Archiver.Core.Diagnostics;
using Archiver.Core.Erasure;
using Archiver.Core.Settings;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver erase</c>: the right to erasure.</summary>
internal sealed class EraseVerb(PolicyChoice choice, Eraser eraser, SourceErrors errors, Terminal terminal) : IVerb
{
    private static readonly Argument<string[]> Ids = new("id")
    {
        Description = "Session keys or external ids",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<string?> User = new("--user", "-u")
    {
        Description = "Every session of this user, exactly",
        HelpName = "id",
    };

    private static readonly Option<bool> Reapply = new("--reapply")
    {
        Description = "Everything that was erased before and is here again, as after a restore of the database to an earlier time",
    };

    private static readonly Option<string?> Reason = new("--reason")
    {
        Description = "For the audit, such as the number of the request; no name",
        HelpName = "text",
    };

    public static Command Describe() =>
        new(
            "erase",
            """
            Erases sessions for good: live rows, archives of every generation and version, copies, manifests, and their ids in the ledger.
            They do not come back: not by restore, ledger rebuild or show. Prints a receipt. What a hold or the bucket's object lock
            keeps is reported, the exit code is 1, and a later erase tries it again. Without --yes it only says what it would do.
            Example: archiver erase --user 4711 --yes --json > receipt.json
            """
        )
        {
            Ids,
            User,
            Reapply,
            Reason,
            VerbOptions.Source,
            VerbOptions.Yes,
            VerbOptions.Json,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var request = new EraseRequest
        {
            Ids = parse.GetValue(Ids) ?? [],
            User = parse.GetValue(User),
            Reapply = parse.GetValue(Reapply),
            Reason = parse.GetValue(Reason),
        };
        if (new[] { request.Ids.Count > 0, request.User is not null, request.Reapply }.Count(given => given) != 1)
            throw new ArchiverException(
                FailureKind.Configuration,
                "Say what to erase: session ids, or --user, or --reapply; one of the three."
            );
        List<EraseReceipt> receipts = [];
        foreach (var (source, resolved) in await ResolveAsync(parse, request, cancellationToken))
        {
            var receipt = parse.GetValue(VerbOptions.Yes)
                ? await eraser.RunAsync(source, resolved, Operator.Name, cancellationToken)
                : await errors.ExplainAsync(source, () => eraser.PlanAsync(source, resolved, cancellationToken));
            receipts.Add(receipt);
            if (!parse.GetValue(VerbOptions.Json))
                ReceiptText.Write(receipt, terminal);
        }
        if (parse.GetValue(VerbOptions.Json))
        {
            terminal.WriteJson(receipts);
            receipts.Select(r => r.Error).OfType<string>().ToList().ForEach(terminal.Fail);
        }
        if (parse.GetValue(VerbOptions.Yes) || receipts.All(r => r.Sessions.Count == 0))
        {
            // A user of one source need not be known in the others.
            var matched = receipts.Where(r => !r.NoMatch).ToList();
            return ExitCode.Worst(
                matched.Count > 0 ? matched : receipts,
                r => r.ExitCode,
                r => !r.Plan && r.Rows + r.Objects + r.Tombstones > 0
            );
        }
        terminal.Fail("Nothing was changed. To do it, add --yes.");
        return ExitCode.Refused;
    }

    /// <summary>
    /// The request for each source, before anything is erased in one. A text that no source's user column can hold is wrong usage.
    /// </summary>
    private async Task<IReadOnlyList<(SourceSettings Source, EraseRequest Request)>> ResolveAsync(
        ParseResult parse,
        EraseRequest request,
        CancellationToken cancellationToken
    )
    {
        List<(SourceSettings Source, EraseRequest Request)> resolved = [];
        ArchiverException? wrong = null;
        foreach (var source in Sources(parse, request))
        {
            try
            {
                resolved.Add((source, await errors.ExplainAsync(source, () => eraser.ResolveAsync(source, request, cancellationToken))));
            }
            catch (ArchiverException exception) when (exception.Kind == FailureKind.Configuration && source.Map.Session.User is not null)
            {
                wrong = exception;
            }
        }
        return resolved.Count == 0 && wrong is not null ? throw wrong : resolved;
    }

    // An id may be one source's only; a user or the tombstones concern all.
    private IReadOnlyList<SourceSettings> Sources(ParseResult parse, EraseRequest request) =>
        request.Ids.Count > 0 ? [choice.OneSource(parse.GetValue(VerbOptions.Source))] : choice.Sources(parse.GetValue(VerbOptions.Source));
}
