using System.CommandLine;
using System.Globalization;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver list</c>: archives in the ledger, newest first.</summary>
internal sealed class ListVerb(PolicyChoice choice, ArchiveList archives, SourceErrors errors, Absence absence, Terminal terminal) : IVerb
{
    private const int DefaultLimit = 100;

    private static readonly Option<string?> User = new("--user", "-u") { Description = "Only of this user, exactly", HelpName = "id" };

    private static readonly Option<DateTimeOffset?> From = VerbOptions.Instant("--from", "Last active at or after this date");

    private static readonly Option<DateTimeOffset?> To = VerbOptions.Instant("--to", "Last active before this date");

    private static readonly Option<string?> State = VerbOptions.Word("--state", "Only in this state", ArchiveStates.All);

    private static readonly Option<int?> Limit = VerbOptions.Count("--limit", $"At most so many; {DefaultLimit} unless given");

    private static readonly Option<long?> After = VerbOptions.Typed<long?>(
        "--after",
        "Continue below this row; with --source if there are several",
        "row",
        "the whole number of a row",
        text => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var id) ? id : null
    );

    public static Command Describe() =>
        new(
            "list",
            """
            Lists archives from the ledger, newest first.
            Example: archiver list --user 4711 --from 2026-01-01 --to 2026-02-01 --json
            """
        )
        {
            VerbOptions.Source,
            VerbOptions.Policy,
            User,
            From,
            To,
            State,
            Limit,
            After,
            VerbOptions.Json,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var limit = parse.GetValue(Limit) ?? DefaultLimit;
        var after = parse.GetValue(After);
        var name = parse.GetValue(VerbOptions.Source);
        // A row's id is its ledger's: it means nothing in another source's.
        var sources = after is null ? choice.Sources(name) : [choice.OneSource(name)];
        List<(SourceSettings Source, ListedArchive Archive)> found = [];
        foreach (var source in sources)
        {
            var filter = new ArchiveFilter(
                source.Name,
                parse.GetValue(User),
                parse.GetValue(From),
                parse.GetValue(To),
                parse.GetValue(State),
                limit - found.Count,
                after,
                Policy: PolicyOf(parse.GetValue(VerbOptions.Policy))
            );
            if (filter.Limit <= 0)
                break;
            try
            {
                found.AddRange(
                    (await errors.ExplainAsync(source, () => archives.ReadAsync(filter, cancellationToken))).Select(a => (source, a))
                );
            }
            catch (ArchiverException exception) when (exception.Kind == FailureKind.Configuration && sources.Count > 1)
            {
                // A user of one source need not be a value of the others' columns.
                terminal.Fail(exception.Message);
            }
        }
        if (parse.GetValue(VerbOptions.Json))
            terminal.WriteJson(found.Select(f => ListedJson.Of(f.Source.Name, f.Archive)).ToList());
        else
            WriteTable(found, limit);
        if (found.Count == 0)
        {
            var filtered = new Option[] { VerbOptions.Policy, User, From, To, State, After }.Any(o => parse.GetResult(o) is not null);
            await absence.SayWhyEmptyAsync(
                sources,
                filtered ? "No archive matches." : "Nothing is archived yet. What a run would take: archiver plan",
                cancellationToken
            );
        }
        return ExitCode.Done;
    }

    // Not only a configured one: archives of a policy that has another name now are still there.
    internal static string? PolicyOf(string? name) =>
        name is null ? null : Names.Canonical(name[(name.IndexOf('/', StringComparison.Ordinal) + 1)..]);

    private void WriteTable(List<(SourceSettings Source, ListedArchive Archive)> found, int limit)
    {
        var kept = found.Exists(f => f.Archive.Keep is not null);
        string[] header = ["ROW", "SOURCE", "SESSION", "GEN", "STATE", "USER", "LAST ACTIVE", "MESSAGES", "OBJECT"];
        var table = new TextTable(kept ? [.. header, "KEPT"] : header);
        foreach (var (source, a) in found)
        {
            string[] row =
            [
                a.Id.ToString(CultureInfo.InvariantCulture),
                source.Name,
                a.SessionId,
                a.Generation.ToString(CultureInfo.InvariantCulture),
                a.Part ? $"{a.State} (part)" : a.State,
                a.User ?? "-",
                a.LastActivity ?? "-",
                a.Messages.ToString(CultureInfo.InvariantCulture),
                a.Key,
            ];
            table.Add(kept ? [.. row, Kept.Text(a.Keep)] : row);
        }
        table.Write(terminal);
        if (found.Count == limit)
            terminal.Note(
                $"There may be more: --source {found[^1].Source.Name} --after {found[^1].Archive.Id.ToString(CultureInfo.InvariantCulture)}"
            );
    }
}
