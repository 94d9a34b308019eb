using System.CommandLine;
using Archiver.Core.Diagnostics;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver run</c>: the always-on worker.</summary>
internal sealed class RunVerb : IVerb
{
    public static Command Describe() => new("run", """
        Runs as the always-on worker: every policy on its schedule, with health checks over HTTP. Also what happens without a verb.
        Example: archiver run --config /etc/archiver/appsettings.json
        """);

    public Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken) =>
        throw new ArchiverException(FailureKind.Configuration, "The always-on worker is not part of this build yet; use: archiver archive");
}
