using System.CommandLine;
using Archiver.Core;
using Archiver.Core.Configuration;
using Archiver.Worker.Commands;
using Archiver.Worker.Configuration;
using Archiver.Worker.Jobs;
using Archiver.Worker.Logging;
using Archiver.Worker.Output;
using Serilog;

namespace Archiver.Worker;

/// <summary>
/// One invocation of <c>archiver</c>. It has its own configuration, log and services, leaves nothing behind, and everything it started has
/// ended when it returns: several may run in one process at the same time.
/// </summary>
internal static class ArchiverApplication
{
    /// <param name="arguments">Verb, options and settings.</param>
    /// <param name="environment">Variables and working folder.</param>
    /// <param name="input">stdin.</param>
    /// <param name="output">stdout: data.</param>
    /// <param name="error">stderr: what is said about the data, and the log.</param>
    /// <param name="cancellationToken">Asks it to stop; it finishes or rolls back the batch in hand.</param>
    /// <returns>The exit code; every exception has become one, with a message on stderr.</returns>
    public static async Task<int> RunAsync(
        string[] arguments,
        ProcessEnvironment environment,
        Stream input,
        Stream output,
        Stream error,
        CancellationToken cancellationToken
    )
    {
        var terminal = new Terminal(input, output, error, environment.OutputIsTerminal, environment.ErrorIsTerminal);
        var code = await RunAsync(arguments, environment, terminal, cancellationToken);
        terminal.Conclude(code);
        return code;
    }

    private static async Task<int> RunAsync(
        string[] arguments,
        ProcessEnvironment environment,
        Terminal terminal,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var (verbs, settings) = ConfigurationArguments.Split(arguments);
            return await ArchiverCommandLine.InvokeAsync(
                verbs,
                (verb, parse, token) => RunAsync(verb, parse, settings, environment, terminal, token),
                terminal,
                cancellationToken
            );
        }
        catch (Exception exception)
        {
            return Failure.Report(exception, terminal);
        }
    }

    /// <summary>The composition of one verb: configuration, log, services. The worker's host gets the same settings and services.</summary>
    private static async Task<int> RunAsync(
        Type verb,
        ParseResult parse,
        string[] overrides,
        ProcessEnvironment environment,
        Terminal terminal,
        CancellationToken cancellationToken
    )
    {
        if (verb.IsAssignableTo(typeof(IUnconfiguredVerb)))
        {
            await using var bare = new ServiceCollection()
                .AddSingleton(terminal)
                .AddSingleton(environment)
                .AddTransient(verb)
                .BuildServiceProvider();
            return await ((IVerb)bare.GetRequiredService(verb)).ExecuteAsync(parse, cancellationToken);
        }
        var configuration = ConfigurationFiles.Load(parse.GetValue(ArchiverCommandLine.Config), overrides, environment);
        var settings = ArchiverConfiguration.Read(configuration, CronProblem.Of, environment.Folder);
        await using var log = LogSetup.Create(configuration, terminal, quiet: verb != typeof(RunVerb));
        try
        {
#pragma warning disable ASP0000 // There is no host around a verb: this is its only container.
            await using var services = new ServiceCollection()
                .AddSingleton(configuration)
                .AddSingleton(terminal)
                .AddSingleton(environment)
                .AddSingleton<IExternalScopeProvider, NoScopes>()
                .AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddSerilog(log))
                .AddArchiverCore(settings)
                .AddArchiverWorker(settings)
                .BuildServiceProvider();
#pragma warning restore ASP0000
            return await ((IVerb)services.GetRequiredService(verb)).ExecuteAsync(parse, cancellationToken);
        }
        catch (Exception exception) when (!Failure.IsExpected(exception))
        {
            // Only a bug shows its stack, and only here is there a log.
            log.Fatal(exception, "Unexpected failure; please report this");
            throw;
        }
    }
}
