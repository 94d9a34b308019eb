using System.CommandLine;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary><c>archiver quarantine retry</c>: lets runs try failed sessions again.</summary>
internal sealed class QuarantineRetryVerb(PolicyChoice choice, LedgerAccess ledger, Terminal terminal) : IVerb
{
    private static readonly Argument<string[]> Ids = new("id")
    {
        Description = "Session keys, as quarantine list shows them",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<bool> All = new("--all") { Description = "Every session that failed" };

    public static Command Describe() =>
        new(
            "retry",
            """
            Forgets the failures of sessions, so that the next run tries them again. For when the cause is gone.
            Example: archiver quarantine retry --all --source main
            """
        )
        {
            Ids,
            All,
            VerbOptions.Source,
        };

    public async Task<int> ExecuteAsync(ParseResult parse, CancellationToken cancellationToken)
    {
        var ids = parse.GetValue(Ids) ?? [];
        var all = parse.GetValue(All);
        if (all == ids.Length > 0)
            throw new ArchiverException(FailureKind.Configuration, "Name the sessions, or give --all.");
        var cleared = 0;
        HashSet<string> unknown = [.. ids];
        foreach (var source in choice.Sources(parse.GetValue(VerbOptions.Source)))
        {
            cleared += await ledger.WriteAsync(
                source,
                async connections =>
                {
                    var keys = all ? null : await KeysAsync(connections, source, ids, cancellationToken);
                    unknown.ExceptWith(keys?.Select(k => k.Given) ?? []);
                    return await Quarantine.RetryAsync(
                        connections,
                        source.Name,
                        keys?.Select(k => k.Key),
                        Operator.Name,
                        cancellationToken
                    );
                },
                cancellationToken
            );
        }
        if (cleared > 0)
            terminal.WriteLine($"{Amount.Of(cleared, "session")} will be tried again");
        foreach (var id in unknown)
            terminal.Fail($"No session '{id}' has failed. See: archiver quarantine list");
        if (cleared == 0 && all)
            terminal.Fail("No session has failed, so there is nothing to retry.");
        return cleared == 0 || unknown.Count > 0 ? ExitCode.Failed : ExitCode.Done;
    }

    /// <summary>Those of the ids that have failed, each as it was given and as the ledger has it.</summary>
    private static async Task<IReadOnlyList<(string Given, string Key)>> KeysAsync(
        SourceConnections connections,
        SourceSettings source,
        string[] ids,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await connections.OpenAsync(cancellationToken);
        var given = new GivenIds(connection, source.Map);
        List<(string Given, string Key)> keys = [];
        foreach (var id in ids)
        {
            var key = await given.KeyAsync(id, cancellationToken) ?? id;
            if (await Quarantine.HasAsync(connection, source.Name, key, cancellationToken))
                keys.Add((id, key));
        }
        return keys;
    }
}
