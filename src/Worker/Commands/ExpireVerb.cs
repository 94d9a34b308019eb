using System.CommandLine;
using Archiver.Core.Settings;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver expire</c>: policies with action Expire, once, now.</summary>
internal sealed class ExpireVerb(ActionVerb verb) : IVerb
{
    public static Command Describe() =>
        ActionVerb.Describe(
            "expire",
            """
            Runs the policies with action Expire once, now: sets status expired on sessions whose time has come. Deletes nothing.
            Example: archiver expire --source main
            """
        );

    public Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken) =>
        verb.ExecuteAsync(PolicyAction.Expire, parse, cancellationToken);
}
