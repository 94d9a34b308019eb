using System.CommandLine;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver source list</c>: the names that the ledgers know.</summary>
internal sealed class SourceListVerb(PolicyChoice choice, ConnectionCatalog connections, SourceErrors errors, Terminal terminal) : IVerb
{
    public static Command Describe() =>
        new(
            "list",
            """
            Lists the sources that the ledger of each configured one knows, with their tables.
            Example: archiver source list
            """
        )
        {
            VerbOptions.Source,
            VerbOptions.Json,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        List<SourceJson> listed = [];
        foreach (var source in choice.Sources(parse.GetValue(VerbOptions.Source)))
            listed.AddRange(await errors.ExplainAsync(source, () => ReadAsync(source, cancellationToken)));
        if (parse.GetValue(VerbOptions.Json))
        {
            terminal.WriteJson(listed);
            return ExitCode.Done;
        }
        var table = new TextTable("LEDGER OF", "SOURCE", "TABLES");
        foreach (var source in listed)
            table.Add(source.LedgerOf, source.Name, string.Join(", ", source.Tables.DefaultIfEmpty("not noted yet")));
        table.Write(terminal);
        return ExitCode.Done;
    }

    private async Task<IReadOnlyList<SourceJson>> ReadAsync(SourceSettings source, CancellationToken cancellationToken)
    {
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
        await Migrator.RequireCurrentAsync(connection, cancellationToken);
        var tables = await SourceTables.KnownAsync(connection, cancellationToken);
        return
        [
            .. (await SourceTables.NamesAsync(connection, cancellationToken)).Select(n => new SourceJson(
                source.Name,
                n,
                [.. tables.Where(t => t.Source == n).Select(t => t.Table.ToString())]
            )),
        ];
    }
}
