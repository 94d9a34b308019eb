using System.CommandLine;
using Archiver.Core.Status;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver status</c>: how each source is doing.</summary>
internal sealed class StatusVerb(PolicyChoice choice, StatusReader reader, SourceErrors errors, Terminal terminal) : IVerb
{
    public static Command Describe() =>
        new(
            "status",
            """
            Shows for each source the backlog and how late it is, the last runs, what failed or is paused, and how large the tables are.
            Changes nothing.
            Example: archiver status --source main --json
            """
        )
        {
            VerbOptions.Source,
            VerbOptions.Json,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        List<SourceStatus> all = [];
        foreach (var source in choice.Sources(parse.GetValue(VerbOptions.Source)))
        {
            var status = await errors.ExplainAsync(source, () => reader.ReadAsync(source, cancellationToken));
            all.Add(status);
            if (!parse.GetValue(VerbOptions.Json))
                StatusText.Write(status, terminal);
        }
        if (parse.GetValue(VerbOptions.Json))
            terminal.WriteJson(all);
        return ExitCode.Done;
    }
}
