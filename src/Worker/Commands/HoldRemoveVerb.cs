using System.CommandLine;
using System.Globalization;
using Archiver.Core.Diagnostics;
using Archiver.Core.Holds;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver hold remove</c>: lifts a hold.</summary>
internal sealed class HoldRemoveVerb(PolicyChoice choice, LedgerAccess ledger, Terminal terminal) : IVerb
{
    private static readonly Argument<long> Id = new("id")
    {
        Description = "Number of the hold, as hold list shows it",
        CustomParser = result =>
        {
            if (long.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                return id;
            result.AddError($"A hold is named by its number, but '{result.Tokens[0].Value}' is none; archiver hold list has them.");
            return default;
        },
    };

    public static Command Describe() =>
        new(
            "remove",
            """
            Lifts a hold. What no other hold covers may be deleted again from now on. The ledger keeps who added and who removed it.
            Example: archiver hold remove 3
            """
        )
        {
            Id,
            VerbOptions.Source,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var id = parse.GetRequiredValue(Id);
        var source = choice.OneSource(parse.GetValue(VerbOptions.Source));
        if (
            !await ledger.WriteAsync(
                source,
                connections => LegalHolds.RemoveAsync(connections, source, id, Operator.Name, cancellationToken),
                cancellationToken
            )
        )
            throw new ArchiverException(FailureKind.Failed, $"Source '{source.Name}' has no hold {id} in force. See: archiver hold list");
        terminal.WriteLine($"{source.Name}: hold {id} removed");
        return ExitCode.Done;
    }
}
