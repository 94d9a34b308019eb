using System.CommandLine;
using System.CommandLine.Invocation;
using Archiver.Worker.Output;

namespace Archiver.Worker.Commands;

/// <summary>The command line: every verb, the options of all, and how usage errors end.</summary>
internal static class ArchiverCommandLine
{
    /// <summary>Runs the verb of that type.</summary>
    public delegate Task<int> VerbAction(Type verb, ParseResult parse, CancellationToken cancellationToken);

    public static Option<string?> Config { get; } =
        new("--config", "-c")
        {
            Description = "Configuration file, read instead of appsettings.json in the current folder",
            HelpName = "file",
            Recursive = true,
        };

    private static readonly IReadOnlyList<(Type Verb, Command Command)> Described = Describe();

    /// <summary>Types of all verbs.</summary>
    public static IReadOnlyList<Type> Verbs { get; } = [.. Described.Select(d => d.Verb)];

    /// <summary>
    /// Made once. An option keeps every command that it was ever added to, and looks through all of them at the next. A tree for each
    /// invocation would make each slower than the one before.
    /// </summary>
    private static readonly RootCommand Root = Create();

    /// <summary>Parses and runs a verb. Usage errors go to stderr and end with 2; help is data and goes to stdout.</summary>
    public static async Task<int> InvokeAsync(
        IReadOnlyList<string> arguments,
        VerbAction run,
        Terminal terminal,
        CancellationToken cancellationToken
    )
    {
        var parse = Root.Parse(arguments);
        if (parse.Action is ParseErrorAction)
        {
            foreach (var error in UsageErrors.Of(parse))
                terminal.Fail(error);
            return ExitCode.Usage;
        }
        return await parse.InvokeAsync(
            new VerbInvocation(run)
            {
                EnableDefaultExceptionHandler = false,
                // The token stops it. The library would listen to the process's signals, and cut a graceful stop after two seconds.
                ProcessTerminationTimeout = null,
                Output = terminal.Out,
                Error = terminal.Error,
            },
            cancellationToken
        );
    }

    private static RootCommand Create()
    {
        var root = new RootCommand(
            """
            Moves idle sessions of a PostgreSQL application to object storage as gzipped JSON, verified before anything is deleted.
            Without a verb it runs as the always-on worker.

            Any setting can be given as --Archiver:Key=value too, or as an environment variable Archiver__Key.
            Example: archiver plan --Archiver:Sources:main:Policies:idle:IdleFor=30d
            """
        )
        {
            Config,
        };
        root.SetAction((parse, token) => VerbInvocation.RunAsync(typeof(RunVerb), parse, token));
        Command[] groups =
        [
            new("quarantine", "Sessions that failed: list them, or let runs try them again."),
            new("hold", "Legal holds: what they cover is not deleted, anywhere."),
            new("source", "The names of sources in the ledger, and which tables they stand for."),
            new(
                "ledger",
                "The record of what was archived: rebuild it from the bucket, say which database it belongs to, or that the "
                    + "bucket was moved."
            ),
        ];
        foreach (var (verb, command) in Described)
        {
            command.SetAction((parse, token) => VerbInvocation.RunAsync(verb, parse, token));
            // QuarantineListVerb is "quarantine list".
            var group = groups.FirstOrDefault(g =>
                verb.Name.StartsWith(g.Name, StringComparison.OrdinalIgnoreCase) && verb.Name.Length > g.Name.Length + "Verb".Length
            );
            (group ?? root).Subcommands.Add(command);
        }
        foreach (var group in groups)
            root.Subcommands.Add(group);
        return root;
    }

    private static IReadOnlyList<(Type Verb, Command Command)> Describe() =>
        [
            Of<InitVerb>(),
            Of<RunVerb>(),
            Of<ArchiveVerb>(),
            Of<PurgeVerb>(),
            Of<ExpireVerb>(),
            Of<PlanVerb>(),
            Of<StatusVerb>(),
            Of<ListVerb>(),
            Of<ShowVerb>(),
            Of<QueryVerb>(),
            Of<SearchVerb>(),
            Of<MigrateVerb>(),
            Of<RestoreVerb>(),
            Of<VerifyVerb>(),
            Of<ReconcileVerb>(),
            Of<LedgerRebuildVerb>(),
            Of<LedgerMoveVerb>(),
            Of<LedgerOwnVerb>(),
            Of<SourceListVerb>(),
            Of<SourceRenameVerb>(),
            Of<SourceAddVerb>(),
            Of<PresetsVerb>(),
            Of<AcceptVerb>(),
            Of<PauseVerb>(),
            Of<ResumeVerb>(),
            Of<ExplainVerb>(),
            Of<QuarantineListVerb>(),
            Of<QuarantineRetryVerb>(),
            Of<HoldAddVerb>(),
            Of<HoldRemoveVerb>(),
            Of<HoldListVerb>(),
            Of<DiscardVerb>(),
            Of<EraseVerb>(),
            Of<HealthVerb>(),
        ];

    private static (Type Verb, Command Command) Of<TVerb>()
        where TVerb : IVerb => (typeof(TVerb), TVerb.Describe());

    /// <summary>What one invocation does with the verb that was parsed.</summary>
    private sealed class VerbInvocation(VerbAction run) : InvocationConfiguration
    {
        public static Task<int> RunAsync(Type verb, ParseResult parse, CancellationToken cancellationToken) =>
            ((VerbInvocation)parse.InvocationConfiguration).Run(verb, parse, cancellationToken);

        private VerbAction Run { get; } = run;
    }
}
