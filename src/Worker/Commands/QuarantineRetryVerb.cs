using System.CommandLine;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver quarantine retry</c>: lets runs try failed sessions again.</summary>
internal sealed class QuarantineRetryVerb(PolicyChoice choice, LedgerAccess ledger, Terminal terminal) : IVerb
{
    private static readonly Argument<string[]> Ids = new("id") { Description = "Session keys, as quarantine list shows them", Arity = ArgumentArity.ZeroOrMore };

    private static readonly Option<bool> All = new("--all") { Description = "Every session that failed" };

    public static Command Describe() => new("retry", """
        Forgets the failures of sessions, so that the next run tries them again. For when the cause is gone.
        Example: archiver quarantine retry --all --source main
        """) { Ids, All, VerbOptions.Source };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var ids = parse.GetValue(Ids) ?? [];
        var all = parse.GetValue(All);
        if (all == ids.Length > 0)
            throw new ArchiverException(FailureKind.Configuration, "Name the sessions, or give --all.");
        var cleared = 0;
        foreach (var source in choice.Sources(parse.GetValue(VerbOptions.Source)))
            cleared += await ledger.UseAsync(source, connection => Quarantine.RetryAsync(connection, source.Name, all ? null : ids, Operator.Name, cancellationToken), cancellationToken).ConfigureAwait(false);
        terminal.WriteLine($"{Amount.Of(cleared, "session")} will be tried again");
        return cleared < ids.Length ? ExitCode.Failed : ExitCode.Done;
    }
}
