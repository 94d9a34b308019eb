using System.CommandLine;
using Archiver.Core.Settings;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver purge</c>: policies with action Purge, once, now.</summary>
internal sealed class PurgeVerb(ActionVerb verb) : IVerb
{
    public static Command Describe() =>
        ActionVerb.Describe(
            "purge",
            """
            Runs the policies with action Purge once, now: deletes without a copy what users deleted long ago. See: archiver plan.
            Ctrl-C stops between two transactions; what is committed is gone.
            Example: archiver purge --policy deleted --max-sessions 100
            """
        );

    public Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken) =>
        verb.ExecuteAsync(PolicyAction.Purge, parse, cancellationToken);
}
