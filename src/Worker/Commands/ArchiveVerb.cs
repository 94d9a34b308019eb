using System.CommandLine;
using Archiver.Core.Settings;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver archive</c>: policies with action Archive, once, now.</summary>
internal sealed class ArchiveVerb(ActionVerb verb) : IVerb
{
    public static Command Describe() =>
        ActionVerb.Describe(
            "archive",
            """
            Runs the policies with action Archive once, now: export, verify, record, delete.
            Ctrl-C stops between two transactions; what is committed stays archived, the next run finishes the rest.
            Example: archiver archive --policy idle --max-sessions 100
            """
        );

    public Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken) =>
        verb.ExecuteAsync(PolicyAction.Archive, parse, cancellationToken);
}
