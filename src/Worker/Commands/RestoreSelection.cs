using System.CommandLine;
using Archiver.Core.Diagnostics;
using Archiver.Core.Reading;
using Archiver.Worker.Access;

namespace Archiver.Worker.Commands;

/// <summary>Which sessions <c>restore</c> puts back.</summary>
internal static class RestoreSelection
{
    private static readonly Argument<string[]> Ids = new("id")
    {
        Description = "Session keys or external ids; - reads them from stdin, one a line",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<string[]> Objects = new("--object")
    {
        Description = "The key of an object in the bucket, of one session; works without any ledger",
        HelpName = "key",
    };

    private static readonly Option<string?> User = new("--user", "-u") { Description = "Sessions of this user, exactly", HelpName = "id" };

    private static readonly Option<Guid?> Run = VerbOptions.Typed<Guid?>(
        "--run",
        "Sessions that this run archived",
        "id",
        "the id of a run, as archiver status --json has it",
        text => Guid.TryParse(text, out var id) ? id : null
    );

    private static readonly Option<DateTimeOffset?> From = VerbOptions.Instant("--from", "Last active at or after this date");

    private static readonly Option<int?> Generation = VerbOptions.Count(
        "--generation",
        "This archive of the session instead of the newest; only with ids"
    );

    // The end of the dates and the other database are both called --to; a date holds no "=", a connection string always does.
    private static readonly Option<string[]> To = new("--to")
    {
        Description =
            "A date: last active before it. Or a connection string: restore to that database; its password is better in "
            + "PGPASSWORD. May be given once as each",
        HelpName = "date or connection string",
    };

    public static void AddTo(Command command)
    {
        command.Arguments.Add(Ids);
        foreach (var option in new Option[] { Objects, User, Run, From, To, Generation })
            command.Options.Add(option);
    }

    /// <exception cref="ArchiverException">What was asked for makes no sense; kind Configuration.</exception>
    public static async Task<RestoreOptions> ReadAsync(ParseResult parse, string source, Stream input, CancellationToken cancellationToken)
    {
        var tos = parse.GetValue(To) ?? [];
        var databases = tos.Where(t => t.Contains('=', StringComparison.Ordinal)).ToList();
        var dates = tos.Except(databases).ToList();
        if (databases.Count > 1 || dates.Count > 1)
            throw Wrong("--to may be given once as a date and once as a connection string, no more.");
        DateTimeOffset? to = null;
        if (dates is [var text])
            to = VerbOptions.TryParse(text, out var instant)
                ? instant
                : throw Wrong($"{VerbOptions.NoDate("--to", text)} A connection string of another database would contain '='.");
        var options = new RestoreOptions
        {
            Source = source,
            Who = Operator.Name,
            Ids = await ReadIdsAsync(parse.GetValue(Ids) ?? [], input, cancellationToken),
            ObjectKeys = [.. (parse.GetValue(Objects) ?? []).Distinct()],
            User = parse.GetValue(User),
            Run = parse.GetValue(Run),
            From = parse.GetValue(From),
            To = to,
            Generation = parse.GetValue(Generation),
            TargetConnectionString = databases.SingleOrDefault(),
        };
        if (options.Generation is not null && options.Ids.Count == 0)
            throw Wrong("--generation chooses one archive of a session, so it needs session ids.");
        return options;
    }

    private static async Task<IReadOnlyList<string>> ReadIdsAsync(string[] arguments, Stream input, CancellationToken cancellationToken)
    {
        List<string> ids = [.. arguments.Where(a => a != "-")];
        if (arguments.Contains("-"))
        {
            using var lines = new StreamReader(input);
            while (await lines.ReadLineAsync(cancellationToken) is { } line)
            {
                if (line.Length > 0)
                    ids.Add(line);
            }
            if (ids.Count == 0)
                throw Wrong("- reads ids from stdin, and none came.");
        }
        return [.. ids.Distinct(StringComparer.Ordinal)];
    }

    private static ArchiverException Wrong(string message) => new(FailureKind.Configuration, message);
}
