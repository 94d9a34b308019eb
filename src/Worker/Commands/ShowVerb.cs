using System.CommandLine;
using Archiver.Core.Diagnostics;
using Archiver.Core.Reading;
using Archiver.Core.Restore;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver show</c>: one session's document, read straight from the store.</summary>
internal sealed class ShowVerb(
    ArchiveLookup lookup,
    ArchiveDownloader downloader,
    ReadAudit audit,
    Absence absence,
    SourceErrors errors,
    Terminal terminal
) : IVerb
{
    private static readonly Argument<string> Id = new("id") { Description = "Session key or external id" };

    private static readonly Option<int?> Generation = VerbOptions.Count(
        "--generation",
        "Which archive of the session; the newest unless given"
    );

    private static readonly Option<bool> Raw = new("--raw") { Description = "The gzip bytes as they are stored" };

    // The document is JSON anyway; scripts that give --json to every reading verb need not know that.
    private static readonly Option<bool> Json = new("--json") { Description = "The document as JSON, which is what is printed anyway" };

    public static Command Describe() =>
        new(
            "show",
            """
            Prints the document of an archived session, one line of JSON, after comparing it with the ledger's hash.
            Example: archiver show 0b9c6a52-4a3c-4d0b-9a52-0f6f3d1c9a10 | jq .messages
            """
        )
        {
            Id,
            VerbOptions.Source,
            Generation,
            Raw,
            Json,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        // They may hold a message as it was written, with whatever would steer a terminal.
        if (parse.GetValue(Raw) && terminal.OutputIsTerminal)
            throw new ArchiverException(
                FailureKind.Configuration,
                "--raw prints compressed bytes, which are not for a terminal: redirect them, or leave --raw out."
            );
        var (source, id, generation) = (parse.GetValue(VerbOptions.Source), parse.GetRequiredValue(Id), parse.GetValue(Generation));
        if (await lookup.FindAsync(source, id, generation, "--source", cancellationToken) is not var (found, archive))
        {
            throw await absence.AbsentAsync(
                source,
                id,
                $"The ledger has no archive of session '{id}'{(generation is { } g ? $", generation {g}" : "")}.",
                cancellationToken
            );
        }
        await errors.ExplainAsync(found, async () =>
        {
            await audit.NoteAsync(Operator.Name, "show", archive, cancellationToken);
            return archive;
        });
        if (parse.GetValue(Raw))
        {
            await downloader.CopyGzipAsync(archive, terminal.OutStream, cancellationToken);
            return ExitCode.Done;
        }
        await using var printable = new PrintableJsonStream(terminal.OutStream);
        await downloader.CopyJsonAsync(archive, printable, cancellationToken);
        return ExitCode.Done;
    }
}
