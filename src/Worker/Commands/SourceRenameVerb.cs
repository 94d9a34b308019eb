using System.CommandLine;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ownership;
using Archiver.Core.Settings;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver source rename</c>: what the ledger keeps under one name goes under another.</summary>
internal sealed class SourceRenameVerb(
    PolicyChoice choice,
    ArchiverSettings settings,
    SourceRename rename,
    SourceErrors errors,
    Terminal terminal
) : IVerb
{
    private static readonly Argument<string> Old = new("old") { Description = "The name that the ledger knows, as source list shows it" };

    private static readonly Argument<string> New = new("new") { Description = "The name in the configuration now" };

    public static Command Describe() =>
        new(
            "rename",
            """
            Says that a source has another name now: its holds, pauses, acceptances, quarantine, archives and runs go with it, and what
            is in the bucket under the old name stays its own. Change the name in the configuration first; until this, every run and
            verb refuses. The same name twice says that other tables took the place of the old ones.
            Example: archiver source rename main chat
            """
        )
        {
            Old,
            New,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var (old, source) = (parse.GetRequiredValue(Old), choice.OneSource(parse.GetRequiredValue(New)));
        if (!Names.Same(old, source.Name) && settings.Sources.Any(s => Names.Same(s.Name, old)))
            throw new ArchiverException(
                FailureKind.Configuration,
                $"'{old}' is configured too: take it out of the configuration of every worker first."
            );
        await errors.ExplainAsync(source, async () =>
        {
            await rename.ExecuteAsync(old, source, Operator.Name, cancellationToken);
            return true;
        });
        var now = Names.Same(old, source.Name) ? "stands for the tables of the configuration now" : $"has what the ledger knew as '{old}'";
        terminal.WriteLine($"{source.Name}: {now}");
        return ExitCode.Done;
    }
}
