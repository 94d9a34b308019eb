using System.CommandLine;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver ledger own</c>: tells a copy of the database that it is the owner of its ledger now.</summary>
internal sealed class LedgerOwnVerb(PolicyChoice choice, LedgerAccess ledger, Terminal terminal) : IVerb
{
    private static readonly Option<bool> Copy = new("--copy")
    {
        Description =
            "It is a copy beside the original: the ledger gets an id of its own, and the objects so far stay the original's for ever",
    };

    private static readonly Option<string?> From = new("--from")
    {
        Description = "Objects that say they come from this database are this ledger's too: what it was before it moved",
        HelpName = "system/database",
    };

    public static Command Describe() =>
        new(
            "own",
            """
            Says that this database is the owner of its ledger now: after a failover, a restore, a move to another server, an upgrade of
            PostgreSQL or a new name. Until then discard, erase and reconcile --fix destroy nothing, because a copy knows no hold of the
            original. Make sure first that no archiver works on the database that it was before. Without --yes it only says what is the
            case.
            Example: archiver ledger own --yes
            """
        )
        {
            VerbOptions.Source,
            Copy,
            From,
            VerbOptions.Yes,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var (copy, from) = (parse.GetValue(Copy), Origin(parse.GetValue(From)));
        if (copy && from is not null)
            throw new ArchiverException(
                FailureKind.Configuration,
                "--copy says that the objects so far are another database's, and --from that they are this one's: one of the two."
            );
        var code = ExitCode.Done;
        foreach (var source in choice.Sources(parse.GetValue(VerbOptions.Source)))
        {
            var reason = await ledger.WriteAsync(
                source,
                async connections =>
                {
                    await using var connection = await connections.OpenAsync(cancellationToken);
                    return LedgerOwner.WhyNot((await DatabaseIdentity.ReadAsync(connection, cancellationToken)).Database);
                },
                cancellationToken
            );
            if (reason is null && !copy && from is null)
            {
                terminal.WriteLine($"{source.Name}: this database is the owner of its ledger");
                continue;
            }
            if (!parse.GetValue(VerbOptions.Yes))
            {
                terminal.WriteLine($"{source.Name}: {reason ?? "this database is the owner of its ledger"}");
                code = ExitCode.Refused;
                continue;
            }
            await ledger.WriteAsync(
                source,
                async connections =>
                {
                    await LedgerOwner.OwnAsync(connections, source.Name, copy, from, Operator.Name, cancellationToken);
                    return true;
                },
                cancellationToken
            );
            terminal.WriteLine(
                $"{source.Name}: this database is the owner of its ledger now{(copy ? ", which has an id of its own" : "")}"
            );
        }
        if (code == ExitCode.Refused)
            terminal.Fail("Nothing was changed. To do it, add --yes.");
        return code;
    }

    private static (string SystemId, string Database)? Origin(string? text) =>
        text?.Split('/', 2) switch
        {
            null => null,
            [{ Length: > 0 } system, { Length: > 0 } database] => (system, database),
            _ => throw new ArchiverException(
                FailureKind.Configuration,
                $"--from must be a system identifier and a database such as 7301904822514389421/chat, but is '{text}'."
            ),
        };
}
