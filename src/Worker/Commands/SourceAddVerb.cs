using System.CommandLine;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver source add</c>: a source is new and none that the ledger knows under another name.</summary>
internal sealed class SourceAddVerb(
    PolicyChoice choice,
    ArchiverSettings settings,
    ConnectionCatalog connections,
    SourceErrors errors,
    Terminal terminal
) : IVerb
{
    private static readonly Argument<string> Name = new("name") { Description = "The name in the configuration" };

    public static Command Describe() =>
        new(
            "add",
            """
            Says that a configured source is a new one. Needed only where the ledger knows a source from before it noted tables, so that
            it cannot tell a new source from a renamed one.
            Example: archiver source add support
            """
        )
        {
            Name,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var source = choice.OneSource(parse.GetRequiredValue(Name));
        await errors.ExplainAsync(source, async () =>
        {
            await using (var connection = await connections[source.Name].OpenAsync(cancellationToken))
                await RunScope.PrepareLedgerAsync(connection, settings.AutoMigrate, cancellationToken);
            await SourceRegistry.AddAsync(connections[source.Name], source, cancellationToken);
            return true;
        });
        terminal.WriteLine($"{source.Name}: is known to the ledger");
        return ExitCode.Done;
    }
}
