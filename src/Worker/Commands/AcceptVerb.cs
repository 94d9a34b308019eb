using System.CommandLine;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver accept</c>: lets a policy take more than the trip wire's share.</summary>
internal sealed class AcceptVerb(PolicyChoice choice, LedgerAccess ledger, Terminal terminal) : IVerb
{
    public static Command Describe() =>
        new(
            "accept",
            """
            Accepts a policy as it is now, so that its runs may take more than Safety:MaxShare of the sessions. Look at its plan first.
            Asked again when its conditions change other than to a longer age.
            Example: archiver accept main/idle
            """
        )
        {
            PolicyName.Required,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var name = parse.GetRequiredValue(PolicyName.Required);
        if (PolicyName.Split(name) is not (var sourceName, { } policyName))
            throw new ArchiverException(FailureKind.Configuration, $"A policy is accepted by source and name. {choice.FullNamesFor(name)}");
        var (source, policy) = choice.Policies(sourceName, policyName)[0];
        await ledger.WriteAsync(
            source,
            async connections =>
            {
                await TripWire.AcceptAsync(connections, source, policy, Operator.Name, cancellationToken);
                return true;
            },
            cancellationToken
        );
        terminal.WriteLine(
            $"{policy.FullName}: accepted as it is now "
                + $"({string.Join(", ", PolicyHash.Ages(policy).Select(a => $"{a.Key} {Amount.Age(TimeSpan.FromSeconds(a.Value))}"))})"
        );
        return ExitCode.Done;
    }
}
