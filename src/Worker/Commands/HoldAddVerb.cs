using System.CommandLine;
using Archiver.Core.Diagnostics;
using Archiver.Core.Holds;
using Archiver.Core.Settings;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver hold add</c>: puts sessions on legal hold.</summary>
internal sealed class HoldAddVerb(PolicyChoice choice, LedgerAccess ledger, ArchiverSettings settings, Terminal terminal) : IVerb
{
    private static readonly Option<string?> Session = new("--session")
    {
        Description = "This session: its key or external id",
        HelpName = "id",
    };

    private static readonly Option<string?> User = new("--user", "-u")
    {
        Description = "Every session of this user, exactly",
        HelpName = "id",
    };

    private static readonly Option<DateTimeOffset?> From = VerbOptions.Instant(
        "--from",
        "Every session that was active at or after this date"
    );

    private static readonly Option<DateTimeOffset?> To = VerbOptions.Instant("--to", "Every session that began before this date");

    private static readonly Option<string> Reason = new("--reason")
    {
        Description = "Why, such as the number of a case",
        HelpName = "text",
        Required = true,
    };

    public static Command Describe() =>
        new(
            "add",
            """
            Puts sessions on legal hold: nothing it covers is deleted, purged, expired, discarded or erased, in the database or the
            bucket, until a person removes the hold. Waits for a delete that is going on. With --from and --to it covers sessions whose
            life touches the range.
            Example: archiver hold add --user 4711 --reason "case 2026-17"
            """
        )
        {
            VerbOptions.Source,
            Session,
            User,
            From,
            To,
            Reason,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var request = new HoldRequest
        {
            Session = parse.GetValue(Session),
            User = parse.GetValue(User),
            From = parse.GetValue(From),
            To = parse.GetValue(To),
            Reason = parse.GetRequiredValue(Reason),
        };
        if (
            new[] { request.Session is not null, request.User is not null, (request.From ?? request.To) is not null }.Count(given => given)
            != 1
        )
            throw new ArchiverException(
                FailureKind.Configuration,
                "Say what to hold: --session, or --user, or --from and --to; one of the three."
            );
        if (request is { From: { } from, To: { } to } && from >= to)
            throw new ArchiverException(FailureKind.Configuration, "--from must be before --to.");
        var source = choice.OneSource(parse.GetValue(VerbOptions.Source));
        var (ids, covered, all) = await ledger.WriteAsync(
            source,
            async connections =>
            {
                var added = await LegalHolds.AddAsync(connections, source, request, Operator.Name, cancellationToken);
                var patience = settings.Batch.StatementTimeout * 10;
                return (
                    added,
                    await LegalHolds.CountAsync(connections, source, added, patience, cancellationToken),
                    await LegalHolds.CountAsync(connections, source, only: null, patience, cancellationToken)
                );
            },
            cancellationToken
        );
        foreach (var id in ids)
            terminal.WriteLine($"{source.Name}: hold {id} added");
        terminal.WriteLine(
            $"{source.Name}: it covers {Amount.Of(covered.Sessions, "session")} in the database and "
                + $"{Amount.Of(covered.Archives, "archive")}"
        );
        terminal.WriteLine(
            $"{source.Name}: all holds cover {Amount.Of(all.Sessions, "session")} in the database and {Amount.Of(all.Archives, "archive")}"
        );
        // A session that was named is known, if only by rows of it.
        if (request.Session is not null || covered is not { Sessions: 0, Archives: 0 })
            return ExitCode.Done;
        terminal.Fail(
            $"Hold {ids[0]} is in force and covers nothing now: no session of '{source.Name}' matches it, in the table or in the "
                + $"ledger. It covers what comes. If it was misspelled: archiver hold remove {ids[0]} --source {source.Name}"
        );
        return ExitCode.Failed;
    }
}
