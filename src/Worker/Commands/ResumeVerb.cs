using System.CommandLine;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver resume</c>: lifts pauses.</summary>
internal sealed class ResumeVerb(PolicyChoice choice, LedgerAccess ledger, Terminal terminal) : IVerb
{
    public static Command Describe() =>
        new(
            "resume",
            """
            Lifts the pauses of everything, of a source with its policies, or of one policy. The next run goes on where the last one
            stopped.
            The exit code is 1 when nothing was paused, or when a wider pause is still in force.
            Example: archiver resume main
            """
        )
        {
            PolicyName.Optional,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var (name, policy) = parse.GetValue(PolicyName.Optional) is { } text ? PolicyName.Split(text) : (null, null);
        // Not only of configured ones: the pause of a policy that has another name now must be lifted too.
        policy = policy is null ? null : Names.Canonical(policy);
        var (any, open) = (false, false);
        foreach (var source in choice.Sources(name))
        {
            var (lifted, left) = await ledger.WriteAsync(
                source,
                connections => LiftAsync(connections, source, policy, cancellationToken),
                cancellationToken
            );
            // A policy that is configured no more may still have its pause. A name that nothing knows is a misspelled one.
            if (lifted == 0 && policy is not null)
                _ = choice.Policies(source.Name, policy);
            var what = $"{source.Name}{(policy is null ? "" : $"/{policy}")}";
            if (left is null && lifted > 0)
                terminal.WriteLine($"{what}: resumed");
            if (left is not null)
                terminal.Fail($"{what} is still paused, by the pause of {left}. To lift that: {Pauses.ResumeCommand(left)}");
            else if (lifted == 0)
                terminal.Fail($"{what} was not paused, so there was nothing to resume. What is paused: archiver status");
            (any, open) = (any || lifted > 0, open || left is not null);
        }
        return any && !open ? ExitCode.Done : ExitCode.Failed;
    }

    private static async Task<(int Lifted, string? Left)> LiftAsync(
        SourceConnections connections,
        SourceSettings source,
        string? policy,
        CancellationToken cancellationToken
    )
    {
        var lifted = await Pauses.RemoveAsync(connections, source.Name, policy ?? Pauses.All, Operator.Name, cancellationToken);
        await using var connection = await connections.OpenAsync(cancellationToken);
        return (lifted, await Pauses.FindAsync(connection, source.Name, policy ?? Pauses.All, cancellationToken));
    }
}
