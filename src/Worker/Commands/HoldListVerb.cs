using System.CommandLine;
using System.Globalization;
using Archiver.Core.Holds;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver hold list</c>: holds in force.</summary>
internal sealed class HoldListVerb(PolicyChoice choice, LedgerAccess ledger, Absence absence, Terminal terminal) : IVerb
{
    private static readonly Option<bool> All = new("--all") { Description = "Also holds that were removed" };

    public static Command Describe() =>
        new(
            "list",
            """
            Lists legal holds.
            Example: archiver hold list --json
            """
        )
        {
            VerbOptions.Source,
            All,
            VerbOptions.Json,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        List<ListedHold> holds = [];
        foreach (var source in choice.Sources(parse.GetValue(VerbOptions.Source)))
            holds.AddRange(
                await ledger.ReadAsync(
                    source,
                    connection => HoldList.ReadAsync(connection, source, parse.GetValue(All), cancellationToken),
                    cancellationToken
                )
            );
        if (parse.GetValue(VerbOptions.Json))
        {
            terminal.WriteJson(holds);
            return ExitCode.Done;
        }
        var table = new TextTable("SOURCE", "ID", "HOLDS", "SINCE", "BY", "REMOVED", "REASON");
        foreach (var h in holds)
            table.Add(
                h.Source,
                h.Id.ToString(CultureInfo.InvariantCulture),
                What(h),
                h.CreatedAt,
                h.CreatedBy,
                h.RemovedAt is null ? "-" : $"{h.RemovedAt} by {h.RemovedBy}",
                h.Reason
            );
        table.Write(terminal);
        if (holds.Count == 0)
            await absence.SayWhyEmptyAsync(choice.Sources(parse.GetValue(VerbOptions.Source)), "No hold is in force.", cancellationToken);
        return ExitCode.Done;
    }

    private static string What(ListedHold hold) =>
        hold switch
        {
            { SessionId: { } session } => $"session {session}",
            { UserId: { } user } => $"user {user}{(hold.Note is { } note ? $" ({note})" : "")}",
            _ => $"{hold.From ?? "the beginning"} to {hold.To ?? "now"}",
        };
}
