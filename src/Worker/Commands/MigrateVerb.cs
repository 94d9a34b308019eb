using System.CommandLine;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver migrate</c>: creates or upgrades the ledger of each source.</summary>
internal sealed class MigrateVerb(PolicyChoice choice, ConnectionCatalog connections, SourceErrors errors, Terminal terminal) : IVerb
{
    public static Command Describe() =>
        new(
            "migrate",
            """
            Creates or upgrades the ledger (schema archiver in the source's database).
            Runs do it too unless AutoMigrate is false. Safe to repeat.
            Example: archiver migrate --source main
            """
        )
        {
            VerbOptions.Source,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        foreach (var source in choice.Sources(parse.GetValue(VerbOptions.Source)))
        {
            var applied = await errors.ExplainAsync(source, () => MigrateAsync(source, cancellationToken));
            terminal.WriteLine(
                applied.Count == 0 ? $"{source.Name}: the ledger is up to date" : $"{source.Name}: applied {string.Join(", ", applied)}"
            );
        }
        return ExitCode.Done;
    }

    private async Task<IReadOnlyList<string>> MigrateAsync(SourceSettings source, CancellationToken cancellationToken)
    {
        var applied = await Migrator.MigrateAsync(connections[source.Name], cancellationToken);
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
        await SourceRegistry.RegisterAsync(connections[source.Name], connection, source, cancellationToken);
        return applied;
    }
}
