using System.CommandLine;
using System.Globalization;
using Archiver.Core.Ledger;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver quarantine list</c>: sessions that failed, and why.</summary>
internal sealed class QuarantineListVerb(PolicyChoice choice, LedgerAccess ledger, Absence absence, Terminal terminal) : IVerb
{
    private const int DefaultLimit = 100;

    private static readonly Option<int?> Limit = VerbOptions.Count("--limit", $"At most so many per source; {DefaultLimit} unless given");

    public static Command Describe() =>
        new(
            "list",
            """
            Lists sessions that failed, those set aside first, with reasons and when they are tried again.
            Example: archiver quarantine list --json
            """
        )
        {
            VerbOptions.Source,
            Limit,
            VerbOptions.Json,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        List<FailedSession> failed = [];
        foreach (var source in choice.Sources(parse.GetValue(VerbOptions.Source)))
        {
            failed.AddRange(
                await ledger.ReadAsync(
                    source,
                    connection => Quarantine.ListAsync(connection, source.Name, parse.GetValue(Limit) ?? DefaultLimit, cancellationToken),
                    cancellationToken
                )
            );
        }
        if (parse.GetValue(VerbOptions.Json))
        {
            terminal.WriteJson(failed);
            return ExitCode.Done;
        }
        var table = new TextTable("SOURCE", "SESSION", "ATTEMPTS", "LAST FAILED", "NEXT ATTEMPT", "REASON");
        foreach (var f in failed)
            table.Add(
                f.Source,
                f.SessionId,
                f.Attempts.ToString(CultureInfo.InvariantCulture),
                f.LastFailedAt,
                f.Quarantined ? "none, quarantined" : f.NextAttemptAt ?? "-",
                f.Reason
            );
        table.Write(terminal);
        if (failed.Count == 0)
            await absence.SayWhyEmptyAsync(choice.Sources(parse.GetValue(VerbOptions.Source)), "No session has failed.", cancellationToken);
        return ExitCode.Done;
    }
}
