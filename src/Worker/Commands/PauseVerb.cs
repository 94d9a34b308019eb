using System.CommandLine;
using Archiver.Core.Ledger;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver pause</c>: the kill switch.</summary>
internal sealed class PauseVerb(PolicyChoice choice, LedgerAccess ledger, Terminal terminal) : IVerb
{
    public static Command Describe() =>
        new(
            "pause",
            """
            Pauses everything, a source or a policy, in every worker: a run that is going on stops after the batch in hand.
            Example: archiver pause main/idle
            """
        )
        {
            PolicyName.Optional,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var (name, policy) = parse.GetValue(PolicyName.Optional) is { } text ? PolicyName.Split(text) : (null, null);
        if (policy is not null)
            policy = choice.Policies(name, policy)[0].Policy.Name;
        foreach (var source in choice.Sources(name))
        {
            await ledger.WriteAsync(
                source,
                async connections =>
                {
                    await Pauses.AddAsync(connections, source.Name, policy ?? Pauses.All, Operator.Name, cancellationToken);
                    return true;
                },
                cancellationToken
            );
            terminal.WriteLine($"{source.Name}{(policy is null ? "" : $"/{policy}")}: paused");
        }
        return ExitCode.Done;
    }
}
