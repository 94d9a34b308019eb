using System.CommandLine;
using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Archiver.Core.Query;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary>
/// Which archives <c>query</c> and <c>search</c> read, and how much they may fetch: the ledger tells before the first byte is.
/// </summary>
internal sealed class ReadingOptions(PolicyChoice choice, Absence absence, StoreRequests requests, Terminal terminal)
{
    private static readonly Option<string?> User = new("--user", "-u") { Description = "Only of this user", HelpName = "id" };

    private static readonly Option<string?> Session = new("--session")
    {
        Description = "Only of this session: its key or external id",
        HelpName = "id",
    };

    private static readonly Option<DateTimeOffset?> From = VerbOptions.Instant("--from", "Last active at or after this date");

    private static readonly Option<DateTimeOffset?> To = VerbOptions.Instant("--to", "Last active before this date");

    private static readonly Option<bool> AllGenerations = new("--all-generations")
    {
        Description = "Also what a later archive of a session, or a change of its rows, has superseded",
    };

    private static readonly Option<long?> LimitBytes = Size("--limit-bytes", "Refuse when more than this has to be fetched, --yes or not");

    private static readonly Option<bool> Yes = new("--yes", "-y")
    {
        Description = $"Go on above {Amount.Bytes(QueryLimits.Unasked)} without asking",
    };

    public static IEnumerable<Option> All =>
        [VerbOptions.Source, VerbOptions.Policy, User, Session, From, To, AllGenerations, LimitBytes, Yes];

    /// <summary>A size with its unit.</summary>
    public static Option<long?> Size(string name, string description) =>
        VerbOptions.Typed<long?>(name, description, "size", ByteSize.Form, text => ByteSize.TryParse(text, out var bytes) ? bytes : null);

    /// <summary>The sources that are asked.</summary>
    public IReadOnlyList<SourceSettings> Sources(ParseResult parse) => choice.Sources(parse.GetValue(VerbOptions.Source));

    /// <summary>Selects what is asked for, says how much it is, and refuses what is more than may be fetched.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="selection">Gets what each source has.</param>
    /// <param name="condition">What the SQL says beside the options.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ArchiverException">It is more than may be fetched; kind Refused.</exception>
    public async Task SelectAsync(
        ParseResult parse,
        ArchiveSelection selection,
        LedgerCondition condition,
        CancellationToken cancellationToken
    )
    {
        var sources = Sources(parse);
        foreach (var source in sources)
        {
            try
            {
                await selection.AddAsync(Filter(parse, source.Name, condition), cancellationToken);
            }
            catch (ArchiverException exception) when (exception.Kind == FailureKind.Configuration && sources.Count > 1)
            {
                // A user of one source need not be a value of the others' columns.
                terminal.Fail(exception.Message);
            }
        }
        var (archives, objects, bytes) = selection.Estimate;
        var amount = $"{Amount.Of(archives, "archive")} in {Amount.Of(objects, "object")}, {Amount.Bytes(bytes)}";
        if (archives == 0)
            await absence.SayWhyEmptyAsync(sources, "No archive matches.", cancellationToken);
        else if (parse.GetValue(LimitBytes) is { } limit && bytes > limit)
            throw new ArchiverException(
                FailureKind.Refused,
                $"To be fetched: {amount}; that is more than --limit-bytes {ByteSize.Format(limit)}. Nothing was fetched."
            );
        else if (bytes > QueryLimits.Unasked && !parse.GetValue(Yes))
            throw new ArchiverException(
                FailureKind.Refused,
                $"To be fetched: {amount}; --yes to go on above "
                    + $"{Amount.Bytes(QueryLimits.Unasked)}. Nothing was fetched. --user, --from, --to and the like make it less."
            );
        else
            terminal.Note($"To be fetched: {amount}.");
    }

    /// <summary>Adds what was asked of the store to the sum that the costs are made of.</summary>
    public async Task RecordRequestsAsync(ParseResult parse)
    {
        foreach (var source in Sources(parse))
            await requests.RecordAsync(source);
    }

    private static QueryFilter Filter(ParseResult parse, string source, LedgerCondition condition) =>
        new(source)
        {
            User = parse.GetValue(User),
            Session = parse.GetValue(Session),
            From = parse.GetValue(From),
            To = parse.GetValue(To),
            Policy = ListVerb.PolicyOf(parse.GetValue(VerbOptions.Policy)),
            AllGenerations = parse.GetValue(AllGenerations),
            Condition = condition,
        };
}
