using System.CommandLine;
using Archiver.Core.Configuration;
using Archiver.Core.Ledger;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver resume</c>: lifts pauses.</summary>
internal sealed class ResumeVerb(PolicyChoice choice, LedgerAccess ledger, Terminal terminal) : IVerb
{
    public static Command Describe() => new("resume", """
        Lifts the pauses of everything, of a source with its policies, or of one policy. The next run goes on where the last one stopped.
        Example: archiver resume main
        """) { PolicyName.Optional };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var (name, policy) = parse.GetValue(PolicyName.Optional) is { } text ? PolicyName.Split(text) : (null, null);
        // Not only of configured ones: the pause of a policy that has another name now must be lifted too.
        policy = policy is null ? null : Names.Canonical(policy);
        foreach (var source in choice.Sources(name))
        {
            var (lifted, left) = await ledger.UseAsync(
                source,
                async connection => (
                    await Pauses.RemoveAsync(connection, source.Name, policy ?? Pauses.All, Operator.Name, cancellationToken).ConfigureAwait(false),
                    await Pauses.FindAsync(connection, source.Name, policy ?? Pauses.All, cancellationToken).ConfigureAwait(false)),
                cancellationToken).ConfigureAwait(false);
            var what = $"{source.Name}{(policy is null ? "" : $"/{policy}")}";
            terminal.WriteLine(left is not null
                ? $"{what}: still paused, by the pause of {left}"
                : lifted == 0 ? $"{what}: was not paused" : $"{what}: resumed");
        }
        return ExitCode.Done;
    }
}
